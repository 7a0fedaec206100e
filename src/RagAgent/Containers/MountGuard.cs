using System.Globalization;
using System.Text.RegularExpressions;
using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>Refuses to start the app while a disk that holds a folder of <c>container.volumes</c> is not mounted.</summary>
/// <remarks>
/// Without its disk, the app would start with empty folders and write to the root disk. Only disks in <c>/etc/fstab</c> are known
/// here, not those that a mount unit mounts. See fstab(5) and proc_pid_mountinfo(5).
/// </remarks>
internal static partial class MountGuard
{
    // The unit's ProtectHome= hides mounts below these, so a mount that can't be seen there may exist.
    private static readonly string[] HiddenFromUnit = ["/home/", "/root/", "/run/user/"];

    /// <param name="folders">Absolute paths on this machine.</param>
    /// <exception cref="ProblemException">A folder's disk is not mounted.</exception>
    public static void RequireMounted(params IReadOnlyCollection<string> folders)
    {
        // If a table can't be read, nothing is known and nothing is refused.
        if (folders.Count > 0 &&
            TryRead("/etc/fstab") is { } fstab &&
            TryRead("/proc/self/mountinfo") is { } mounts &&
            FindUnmounted(folders, fstab, mounts) is { } unmounted)
        {
            throw new ProblemException(unmounted);
        }
    }

    /// <summary>The problem for the first folder whose disk is not mounted; null if there is none. Pure.</summary>
    public static Problem? FindUnmounted(IEnumerable<string> folders, string fstab, string mountinfo)
    {
        var mounted = ParseTable(mountinfo).Select(fields => fields.ElementAtOrDefault(4)).ToHashSet();
        var unmounted = ParseTable(fstab)
            .Where(IsMountedAtBoot)
            .Select(fields => fields[1].TrimEnd('/'))
            .Where(mountPoint => !mounted.Contains(mountPoint) && !IsHiddenFromUnit(mountPoint))
            .ToArray();
        foreach (var folder in folders)
        {
            if (unmounted.FirstOrDefault(mountPoint => IsBelow(folder, mountPoint)) is { } mountPoint)
            {
                return new Problem(ProblemCatalog.VolumeNotMounted,
                    $"The folder {folder} is on a disk that is not mounted: /etc/fstab lists it at {mountPoint}.",
                    "The agent does not start the app without its data. Check 'lsblk' and 'journalctl -b -t mount -t systemd', then run " +
                    $"'mount {mountPoint}'. {ExceptionMapping.RetriesAutomatically}");
            }
        }
        return null;
    }

    private static bool IsMountedAtBoot(string[] fields) =>
        fields.Length > 1 && fields[1].StartsWith('/') && fields[1] != "/" &&
        fields.ElementAtOrDefault(3)?.Split(',').Contains("noauto") != true;

    private static bool IsHiddenFromUnit(string mountPoint) =>
        HiddenFromUnit.Any(hidden => mountPoint.StartsWith(hidden, StringComparison.Ordinal));

    private static bool IsBelow(string folder, string mountPoint) =>
        folder == mountPoint || folder.StartsWith(mountPoint + "/", StringComparison.Ordinal);

    private static IEnumerable<string[]> ParseTable(string table) => table.Split('\n')
        .Select(line => line.Trim())
        .Where(line => line.Length > 0 && line[0] != '#')
        .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(Unescape).ToArray());

    /// <summary>Both tables write spaces and similar characters as octal escapes.</summary>
    private static string Unescape(string field) => OctalEscape().Replace(
        field, found => ((char)Convert.ToInt32(found.Groups[1].Value, 8)).ToString(CultureInfo.InvariantCulture));

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
