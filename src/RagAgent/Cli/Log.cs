using RagAgent.Configuration.Errors;

namespace RagAgent.Cli;

/// <summary>Messages of the service's process: IDs 500-599.</summary>
internal static partial class Log
{
    [LoggerMessage(500, LogLevel.Information, "The configuration was read again and has not changed.",
        EventName = "ConfigurationUnchanged")]
    public static partial void ConfigurationUnchanged(this ILogger logger);

    [LoggerMessage(501, LogLevel.Information,
        "The configuration was read again and has changed. The agent restarts with it; the app keeps running, open connections are closed.",
        EventName = "BeginsAnew")]
    public static partial void ConfigurationReloaded(this ILogger logger);

    [LoggerMessage(502, LogLevel.Error, "{Problem}", EventName = "Refused")]
    public static partial void ConfigurationRejected(this ILogger logger, ConfigError problem);

    [LoggerMessage(503, LogLevel.Error, "The configuration was read again and can't be used. The previous one stays in use.",
        EventName = "Kept")]
    public static partial void ConfigurationKept(this ILogger logger);
}
