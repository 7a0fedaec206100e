using System.CommandLine;
using RagAgent.Control;

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

    public static Option<string> RuntimeDirectory() => new("--runtime-dir")
    {
        Description = "Where the control socket is: the service's runtime directory, or your own.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Control.RuntimeDirectory.Default,
    };

    public static Option<string> StateDirectory() => new("--state-dir")
    {
        Description = "Where the agent keeps what outlives it: the service's state directory, or your own.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Configuration.StateDirectory.Default,
    };
}
