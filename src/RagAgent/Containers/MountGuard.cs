using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>The disks that <c>/etc/fstab</c> has below the folders of <c>container.volumes</c>: an app that is started without its own would begin with nothing, and write to the root disk.</summary>
/// <remarks>fstab(5) and proc_pid_mountinfo(5). A disk that a unit mounts without a line there is not known here.</remarks>
internal static partial class MountGuard
{
    // The unit's ProtectHome= hides what is mounted below these: that it can't be seen from there says nothing.
    private static readonly string[] HiddenFromUnit = ["/home/", "/root/", "/run/user/"];

    /// <param name="folders">Of this machine.</param>
    /// <exception cref="ProblemException">The disk of one is not mounted.</exception>
    public static void RequireMounted(params IReadOnlyCollection<string> folders)
    {
        // A table that can't be read says nothing.
        if (folders.Count > 0 && TryRead("/etc/fstab") is { } fstab && TryRead("/proc/self/mountinfo") is { } mounts && FindUnmounted(folders, fstab, mounts) is { } unmounted)
        {
            throw new ProblemException(unmounted);
        }
    }

    /// <summary>What is to be said of the first folder whose disk is not mounted; null: all are. Pure.</summary>
    public static Problem? FindUnmounted(IEnumerable<string> folders, string fstab, string mountinfo)
    {
        var mounted = ParseTable(mountinfo).Select(fields => fields.ElementAtOrDefault(4)).ToHashSet();
        var expected = ParseTable(fstab).Where(fields => fields.Length > 1 && fields[1].StartsWith('/') && fields[1] != "/" && fields.ElementAtOrDefault(3)?.Split(',').Contains("noauto") != true)
            .Select(fields => fields[1].TrimEnd('/')).Where(mountPoint => !mounted.Contains(mountPoint) && !HiddenFromUnit.Any(hidden => mountPoint.StartsWith(hidden, StringComparison.Ordinal))).ToArray();
        return folders.Select(folder => (folder, place: expected.FirstOrDefault(mountPoint => folder == mountPoint || folder.StartsWith(mountPoint + "/", StringComparison.Ordinal)))).FirstOrDefault(found => found.place is not null) switch
        {
            (_, null) => null,
            var (folder, mountPoint) => new Problem(ProblemCatalog.VolumeNotMounted,
                $"The folder {folder} lies on a disk that is not mounted: /etc/fstab has it at {mountPoint}.",
                $"The app is not started without its data. See 'lsblk' and 'journalctl -b -t mount -t systemd', then 'mount {mountPoint}'; the agent goes on by itself."),
        };
    }

    private static IEnumerable<string[]> ParseTable(string table) => table.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(Unescape).ToArray());

    /// <summary>Blanks and the like are written by their octal numbers.</summary>
    private static string Unescape(string field) => OctalEscape().Replace(field, found => ((char)Convert.ToInt32(found.Groups[1].Value, 8)).ToString(CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex OctalEscape();

    private static string? TryRead(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
