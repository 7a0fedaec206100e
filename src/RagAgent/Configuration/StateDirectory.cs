namespace RagAgent.Configuration;

/// <summary>The directory for everything that must survive the agent's process.</summary>
internal sealed record StateDirectory(string Path)
{
    private const string ServicePath = "/var/lib/ragagent";

    /// <summary>systemd's state directory, else the service's if root runs the agent by hand, else one in the user's home.</summary>
    public static string Default
    {
        get
        {
            if (Environment.GetEnvironmentVariable("STATE_DIRECTORY") is { Length: > 0 } directories)
            {
                return directories.Split(':')[0];
            }

            if (Environment.IsPrivilegedProcess)
            {
                return ServicePath;
            }

            var userState = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } configured
                ? configured
                : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local/state");
            return System.IO.Path.Combine(userState, "ragagent");
        }
    }

    /// <summary>Creates a folder in the state directory, both accessible to this user only.</summary>
    /// <returns>The folder's path.</returns>
    /// <exception cref="IOException">Creating it failed.</exception>
    /// <exception cref="UnauthorizedAccessException">This user lacks permission to create it.</exception>
    public string CreateFolder(string name)
    {
        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        return Directory.CreateDirectory(System.IO.Path.Combine(Path, name), OwnerOnly).FullName;
    }
}
