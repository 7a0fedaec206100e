using System.ComponentModel;
using System.Diagnostics;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers;

/// <summary>The folders on this machine that <c>container.volumes</c> names, and their owner.</summary>
/// <remarks>Only missing folders are created. Existing ones keep their owner and mode.</remarks>
internal static class VolumeFolders
{
    /// <summary>The user that <c>Dockerfile.streamlit</c> sets.</summary>
    public const string DefaultOwner = "1000:1000";

    /// <summary>The owner of a new folder as <c>uid:gid</c>; null if the configuration names a user that only the image knows.</summary>
    public static string? OwnerOf(ContainerConfig container) => (container.User ?? DefaultOwner).Split(':') switch
    {
        [var user] when IsNumber(user) => $"{user}:{user}",
        [var user, var group] when IsNumber(user) && IsNumber(group) => $"{user}:{group}",
        _ => null,
    };

    public static IEnumerable<string> Of(ContainerConfig container) =>
        container.Volumes.Where(volume => volume.Host.StartsWith('/')).Select(volume => volume.Host).Distinct();

    /// <summary>The folder of another volume that contains this one and that the app may write to; null if there is none.</summary>
    /// <remarks>Root must not create folders below it: the app could have put a symbolic link in the way.</remarks>
    public static string? WritableParent(ContainerConfig container, string folder) => container.Volumes
        .FirstOrDefault(other =>
            !other.ReadOnly && other.Host.StartsWith('/') && folder.StartsWith(other.Host + "/", StringComparison.Ordinal))
        ?.Host;

    public static Problem MissingProblem(string folder) => new(ProblemCatalog.VolumeMissing,
        $"The folder {folder} of container.volumes does not exist.",
        "If it belongs on a disk, mount that disk ('findmnt --fstab --verify'). Otherwise create it with 'sudo ragagent volumes'. " +
        ExceptionMapping.RetriesAutomatically);

    /// <summary>Creates the folder for this owner. Missing parents belong to root.</summary>
    /// <exception cref="ProblemException">It can't be created.</exception>
    public static void Create(string folder, string owner)
    {
        var (code, error) = Run("install", ["-d", "-m", "0750", "-o", owner.Split(':')[0], "-g", owner.Split(':')[1], "--", folder]);
        if (code != 0)
        {
            throw new ProblemException(new Problem(ProblemCatalog.VolumeNotMade,
                $"Could not create the folder {folder}: {error}.",
                $"Create it by hand: mkdir -p {folder} && chown {owner} {folder}"));
        }
    }

    /// <summary>Whether this user may write there, by groups, modes and access lists; null if this process can't test it.</summary>
    public static bool? CanWrite(string folder, string owner)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }
        string[] asOwner = ["--reuid", owner.Split(':')[0], "--regid", owner.Split(':')[1], "--clear-groups", "--"];
        return Run("setpriv", [.. asOwner, "test", "-w", folder, "-a", "-x", folder]).Code switch
        {
            0 => true,
            1 => false,
            _ => null,
        };
    }

    /// <returns>The exit code, or null if the program can't be run; and the last part of its error output.</returns>
    private static (int? Code, string Error) Run(string program, string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true };
            using var process = Process.Start(start)!;
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
