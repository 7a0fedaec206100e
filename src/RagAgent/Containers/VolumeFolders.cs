using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Containers;

/// <summary>The folders on this machine that <c>container.volumes</c> names, and their owner.</summary>
/// <remarks>Only missing folders are created. Existing ones keep their owner and mode.</remarks>
internal static class VolumeFolders
{
    /// <summary>The user that <c>Dockerfile.streamlit</c> sets. Not 1000, which is the login user of Ubuntu and Amazon Linux.</summary>
    public const string DefaultOwner = "10001:10001";

    // A large volume takes minutes.
    private static readonly TimeSpan SearchTimeout = TimeSpan.FromSeconds(5);

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
    public static async Task CreateAsync(string folder, string owner, CancellationToken stopping)
    {
        string[] ownership = ["-o", owner.Split(':')[0], "-g", owner.Split(':')[1]];
        var result = await ChildProcess.RunAsync("install", ["-d", "-m", "0750", .. ownership, "--", folder], stopping);
        if (result.ExitCode != 0)
        {
            var error = result.Errors.Trim();
            error = result.ExitCode is null ? error : error[(error.LastIndexOf(':') + 1)..].Trim();   // after "install: cannot create directory '…':"
            throw new ProblemException(new Problem(ProblemCatalog.VolumeNotMade,
                $"Could not create the folder {folder}: {error}.",
                $"Create it by hand: mkdir -p {folder} && chown {owner} {folder}"));
        }
    }

    /// <summary>Whether this user may write there, by groups, modes and access lists; null if this process can't test it.</summary>
    public static async Task<bool?> CanWriteAsync(string folder, string owner, CancellationToken stopping)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            return null;
        }
        string[] asOwner = ["--reuid", owner.Split(':')[0], "--regid", owner.Split(':')[1], "--clear-groups", "--"];
        var result = await ChildProcess.RunAsync("setpriv", [.. asOwner, "test", "-w", folder, "-a", "-x", folder], stopping);
        return result.ExitCode switch
        {
            0 => true,
            1 => false,
            _ => null,
        };
    }

    /// <summary>
    /// The owner of a new folder: as <see cref="OwnerOf"/>, but like the existing folders if they all have the same owner, who isn't root.
    /// An installation from before <see cref="DefaultOwner"/> changed stays as it is.
    /// </summary>
    public static async Task<string?> OwnerOfNewAsync(ContainerConfig container, CancellationToken stopping)
    {
        var existing = Of(container).Where(Directory.Exists).ToArray();
        if (container.User is not null || existing.Length == 0)
        {
            return OwnerOf(container);
        }
        var result = await ChildProcess.RunAsync("stat", ["--format=%u:%g", "--", .. existing], stopping);
        var owners = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().ToArray();
        return result.ExitCode == 0 && owners is [var single] && !single.StartsWith("0:", StringComparison.Ordinal)
            ? single
            : OwnerOf(container);
    }

    /// <summary>Finds a file or folder in there that the owner can't write to.</summary>
    /// <returns>Its path; null if there is none, or if none was found within five seconds.</returns>
    public static async Task<string?> FindForeignAsync(string folder, string owner, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(SearchTimeout, TimeProvider.System, stopping);
        try
        {
            var result = await ChildProcess.RunAsync("find", [.. SearchFor(folder, owner), "-print", "-quit"], timeout.Token);
            return result.Output.Trim() is { Length: > 0 } path ? path : null;
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>Gives the owner everything in the folder that they can't write to.</summary>
    /// <returns>What it changed, or why it failed.</returns>
    /// <remarks>
    /// The app may swap a folder for a link meanwhile. So nothing follows links, and each change is made from within its own folder.
    /// </remarks>
    public static async Task<(int Changed, string? Error)> FixOwnerAsync(string folder, string owner, CancellationToken stopping)
    {
        // With "+", a change that fails is find's failure, too.
        string[] change = ["-print", "-execdir", "chown", "--no-dereference", owner, "--", "{}", "+"];
        var result = await ChildProcess.RunAsync("find", [.. SearchFor(folder, owner), .. change], stopping);
        var changed = result.Output.Count(character => character == '\n');
        return (changed, result.ExitCode == 0 ? null : result.Errors.Trim());
    }

    private static string[] SearchFor(string folder, string owner)
    {
        string[] writable = ["(", "-uid", owner.Split(':')[0], "-o", "-perm", "-o+w", "-o", "-gid", owner.Split(':')[1], "-perm", "-g+w", ")"];
        return ["-P", folder, "-xdev", "!", "-type", "l", "!", .. writable];
    }

    private static bool IsNumber(string text) => uint.TryParse(text, out _);
}
