using System.CommandLine;

namespace RagAgent.Cli;

/// <summary>Options that several commands share.</summary>
internal static class Options
{
    public const string DefaultConfigFile = "/etc/ragagent.json";

    public static Option<string> ConfigFile() => new("--config", "-c")
    {
        Description = "The configuration file.",
        HelpName = "FILE",
        DefaultValueFactory = _ => DefaultConfigFile,
    };

    public static Option<string> StateDirectory() =>
        DirectoryOption(
            "--state-dir",
            "The directory for the agent's persisted state: the service's, or your own.",
            () => Configuration.StateDirectory.Default);

    public static Option<string> RuntimeDirectory() =>
        DirectoryOption(
            "--runtime-dir",
            "The directory of the control socket: the service's, or your own.",
            () => Control.RuntimeDirectory.Default);

    /// <summary>Makes relative paths absolute, because sockets and messages need that.</summary>
    private static Option<string> DirectoryOption(string name, string description, Func<string> defaultValue) => new(name)
    {
        Description = description,
        HelpName = "DIR",
        DefaultValueFactory = _ => Path.GetFullPath(defaultValue()),
        CustomParser = result =>
        {
            if (result.Tokens is [{ Value.Length: > 0 } path])
            {
                return Path.GetFullPath(path.Value);
            }
            result.AddError($"{name} must name a directory, but is empty.");
            return null;
        },
    };
}
