using System.CommandLine;

namespace RagAgent.Cli;

/// <summary>The options that several commands have, with the same name and meaning everywhere.</summary>
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
        DirectoryOption("--state-dir", "Where the agent keeps what must outlive it: the service's state directory, or your own.", () => Configuration.StateDirectory.Default);

    public static Option<string> RuntimeDirectory() =>
        DirectoryOption("--runtime-dir", "Where the control socket is: the service's runtime directory, or your own.", () => Control.RuntimeDirectory.Default);

    /// <summary>Absolute, seen from the working directory: sockets and messages need it so.</summary>
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
