using RagAgent.Common;
using RagAgent.Diagnostics.Logging;

namespace RagAgent.Containers.AppLogs;

/// <summary>The app's log: ids 202-210.</summary>
internal static partial class Log
{
    [LoggerMessage(202, LogLevel.Warning, "{Problem}", EventName = "NoState")]
    public static partial void StateDirectoryUnusable(this ILogger logger, Problem problem);

    [LoggerMessage(203, LogLevel.Debug, "The log stream of {Container} broke. Reconnecting. {Problem}", EventName = "AppLogBroke")]
    public static partial void AppLogInterrupted(this ILogger logger, ContainerIdentity container, Problem problem);

    [LoggerMessage(204, LogLevel.Warning, "Could not follow the log of {Container}. {Problem}", EventName = "AppLogStumbled")]
    public static partial void AppLogFailed(this ILogger logger, ContainerIdentity container, Problem problem);

    [LoggerMessage(205, LogLevel.Information,
        "The log of {Container} is on hold: the agent hasn't read the container's secrets yet and can't remove them. 'docker logs' shows it.",
        EventName = "AppLogWaits")]
    public static partial void AppLogWaitingForSecrets(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(206, LogLevel.Warning,
        "The last output of {Container} is lost: the agent never had the container's secrets, could not remove them, and the container is gone.",
        EventName = "AppLogUnwritten")]
    public static partial void AppLogWithheld(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(207, LogLevel.Warning,
        "The app writes more than 200 lines or 1 MB per second: {Count} lines were dropped here. 'docker logs {Name}' has them.",
        EventName = "AppLogCapped")]
    public static partial void AppLogRateLimited(this ILogger logger, long count, string name);

    [LoggerMessage(208, LogLevel.Warning, "Some lines of {Container} may be missing here: Docker Engine has already deleted them.",
        EventName = "AppLogLost")]
    public static partial void AppLogGap(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(209, LogLevel.Information,
        "The log of {Container} continues with new lines only: the previous agent's position in it is unknown.",
        EventName = "AppLogWithoutPlace")]
    public static partial void AppLogPositionUnknown(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(210, LogLevel.Warning, "Docker Engine could not read the log of {Container}: {Words}.", EventName = "AppLogUnreadable")]
    public static partial void AppLogUnreadable(this ILogger logger, ContainerIdentity container, string words);
}
