namespace RagAgent.Configuration;

/// <summary>Where the agent keeps what must outlive it: systemd's state directory, or the user's own.</summary>
internal sealed record StateDirectory(string Path)
{
    private const string ServicePath = "/var/lib/ragagent";

    /// <summary>What systemd says, what root uses, or what the user's home has.</summary>
    public static string Default =>
        Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } given ? given.Split(':')[0]
        : Environment.IsPrivilegedProcess ? ServicePath
        : Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? System.IO.Path.Combine(state, "ragagent")
        : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state/ragagent");

    /// <summary>Makes it, and a folder in it, for this user only.</summary>
    /// <returns>The folder's path.</returns>
    /// <exception cref="IOException">It can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">This user may not make it.</exception>
    public string CreateFolder(string name) =>
        Directory.CreateDirectory(System.IO.Path.Combine(Path, name), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute).FullName;
}
