using System.Collections.Frozen;

namespace RagAgent.Configuration.Values;

/// <summary>The file that holds a secret in the container.</summary>
/// <remarks>
/// A folder in memory is mounted for such files, which hides what the image has there. The rules refuse folders that every image has;
/// the agent looks for others when it creates the container. See docs/decisions/0022-secrets-as-files.md.
/// </remarks>
internal static class SecretPath
{
    /// <summary>Where the file of <c>st.secrets</c> is if no secret has a path. No image has this folder.</summary>
    public const string DefaultFolder = "/run/ragagent";

    /// <summary>Streamlit requires the ending.</summary>
    public const string StreamlitFileName = "secrets.toml";

    /// <summary>The variable that tells Streamlit where its secrets are.</summary>
    public const string StreamlitVariable = "STREAMLIT_SECRETS_FILES";

    private const string InOwnFolder = "name a file in a folder of its own, like \"/run/secrets/openai\"";

    private static readonly FrozenSet<string> SystemFolders = FrozenSet.ToFrozenSet(
    [
        "/", "/app", "/app/data", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
        "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/local", "/var", "/var/lib", "/var/run", "/var/tmp",
    ]);

    private static readonly string[] KernelFolders = ["/dev/", "/proc/", "/sys/"];

    public static RuleViolation? Validate(string path)
    {
        if (path.StartsWith('/') && (path.EndsWith('/') || path.Contains("//", StringComparison.Ordinal)))
        {
            return new(InOwnFolder, "with single slashes and none at the end");
        }

        if (PathRules.ValidateMountable(path) is { } violation)
        {
            return violation;
        }

        var folder = FolderOf(path);
        if (folder.EndsWith("/.streamlit", StringComparison.Ordinal))
        {
            return new(
                "not be in a folder .streamlit, which would hide the image's config.toml",
                "for st.secrets, set \"container\": { \"streamlitSecrets\": true } instead");
        }

        if (Array.Exists(KernelFolders, kernel => path.StartsWith(kernel, StringComparison.Ordinal)))
        {
            return new(InOwnFolder, "/dev, /proc and /sys belong to the kernel");
        }

        return SystemFolders.Contains(folder)
            ? new(InOwnFolder, "the folder lies in memory and would hide what the image has there")
            : null;
    }

    /// <summary>Whether one of two folders contains the other, so that they can't both be mounted.</summary>
    public static bool Overlaps(string one, string other) =>
        $"{one}/".StartsWith($"{other}/", StringComparison.Ordinal) || $"{other}/".StartsWith($"{one}/", StringComparison.Ordinal);

    public static string FolderOf(string path) => path[..path.LastIndexOf('/')] is { Length: > 0 } folder ? folder : "/";
}
