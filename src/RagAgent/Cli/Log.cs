using RagAgent.Configuration.Errors;

namespace RagAgent.Cli;

/// <summary>The service's process: ids 500-599.</summary>
internal static partial class Log
{
    [LoggerMessage(500, LogLevel.Information, "The configuration was read again; nothing in it has changed.",
        EventName = "ConfigurationUnchanged")]
    public static partial void ConfigurationUnchanged(this ILogger logger);

    [LoggerMessage(501, LogLevel.Information, "The configuration was read again and has changed: the agent begins anew with it. The app goes on; open connections are closed.",
        EventName = "BeginsAnew")]
    public static partial void ConfigurationReloaded(this ILogger logger);

    [LoggerMessage(502, LogLevel.Error, "{Problem}", EventName = "Refused")]
    public static partial void ConfigurationRejected(this ILogger logger, ConfigError problem);

    [LoggerMessage(503, LogLevel.Error, "The configuration was read again and can't be used; the configuration in use is kept.",
        EventName = "Kept")]
    public static partial void ConfigurationKept(this ILogger logger);
}
