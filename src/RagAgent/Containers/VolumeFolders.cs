using System.ComponentModel;
using System.Diagnostics;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers;

/// <summary>The folders of this machine that <c>container.volumes</c> names, and whose they are.</summary>
/// <remarks>Only what is missing is made: what is there belongs to its owner, with its mode.</remarks>
internal static class VolumeFolders
{
    /// <summary>The user of <c>Dockerfile.streamlit</c>.</summary>
    public const string DefaultOwner = "1000:1000";

    /// <summary>Whose a new folder is, as <c>uid:gid</c>; null: the configuration names a user that only the image knows.</summary>
    public static string? OwnerOf(ContainerConfig container) => (container.User ?? DefaultOwner).Split(':') switch
    {
        [var user] when IsNumber(user) => $"{user}:{user}",
        [var user, var group] when IsNumber(user) && IsNumber(group) => $"{user}:{group}",
        _ => null,
    };

    public static IEnumerable<string> Of(ContainerConfig container) => container.Volumes.Where(volume => volume.Host.StartsWith('/')).Select(volume => volume.Host).Distinct();

    /// <summary>A folder of another volume that the app may write to, which this one lies in: what the app makes of the way there is not root's to follow.</summary>
    public static string? WritableParent(ContainerConfig container, string folder) =>
        container.Volumes.FirstOrDefault(other => !other.ReadOnly && other.Host.StartsWith('/') && folder.StartsWith(other.Host + "/", StringComparison.Ordinal))?.Host;

    public static Problem MissingProblem(string folder) => new(ProblemCatalog.VolumeMissing,
        $"The folder {folder} of container.volumes is not there.",
        "If a disk belongs there, mount it ('findmnt --fstab --verify'); a new folder is made by 'sudo ragagent volumes'. The agent tries again by itself.");

    /// <summary>Makes the folder, and what is missing above it as root's.</summary>
    /// <exception cref="ProblemException">It can't be made.</exception>
    public static void Create(string folder, string owner)
    {
        var (code, error) = Run("install", ["-d", "-m", "0750", "-o", owner.Split(':')[0], "-g", owner.Split(':')[1], "--", folder]);
        if (code != 0)
        {
            throw new ProblemException(new Problem(ProblemCatalog.VolumeNotMade, $"The folder {folder} can't be made: {error}.", $"Make it by hand: mkdir -p {folder} && chown {owner} {folder}"));
        }
    }

    /// <summary>Whether this user may write there, by groups, modes and access lists; null: this process can't try it.</summary>
    public static bool? CanWrite(string folder, string owner)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }
        return Run("setpriv", ["--reuid", owner.Split(':')[0], "--regid", owner.Split(':')[1], "--clear-groups", "--", "test", "-w", folder, "-a", "-x", folder]).Code switch
        {
            0 => true,
            1 => false,
            _ => null,
        };
    }

    /// <returns>Its exit code, null when it can't be run; and the last part of what it complained of.</returns>
    private static (int? Code, string Said) Run(string program, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            var error = process.StandardError.ReadToEnd().Trim();
            process.WaitForExit();
            return (process.ExitCode, error[(error.LastIndexOf(':') + 1)..].Trim());
        }
        catch (Win32Exception exception)
        {
            return (null, $"{program} can't be run ({exception.Message})");
        }
    }

    private static bool IsNumber(string text) => uint.TryParse(text, out _);
}
