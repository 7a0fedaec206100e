using RagAgent.Common;
using RagAgent.Diagnostics.Logging;

namespace RagAgent.Containers;

/// <summary>Containers: ids 200-299.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Warning, "Container {Container}, which does not run, could not be removed. {Problem}",
        EventName = "LeftoverStays")]
    public static partial void ContainerNotRemoved(this ILogger logger, string container, Problem problem);

    [LoggerMessage(201, LogLevel.Debug, "The engine's event stream ended; it is opened again.", EventName = "EventStreamEnded")]
    public static partial void EventStreamEnded(this ILogger logger);

    [LoggerMessage(211, LogLevel.Warning, "Container {Container} keeps the name {Name} until the next update. {Problem}",
        EventName = "KeepsItsName")]
    public static partial void RenameFailed(this ILogger logger, string container, string name, Problem problem);

    [LoggerMessage(202, LogLevel.Warning, "{Problem}", EventName = "NoState")]
    public static partial void StateDirectoryUnusable(this ILogger logger, Problem problem);

    [LoggerMessage(203, LogLevel.Debug, "The log of {Container} broke off and is opened again. {Problem}", EventName = "AppLogBroke")]
    public static partial void AppLogInterrupted(this ILogger logger, ContainerIdentity container, Problem problem);

    [LoggerMessage(204, LogLevel.Warning, "The log of {Container} could not be followed. {Problem}", EventName = "AppLogStumbled")]
    public static partial void AppLogFailed(this ILogger logger, ContainerIdentity container, Problem problem);

    [LoggerMessage(205, LogLevel.Information, "The log of {Container} waits: the agent does not hold the secrets that it was given, so they could not be taken out. 'docker logs' shows it.",
        EventName = "AppLogWaits")]
    public static partial void AppLogWaitingForSecrets(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(206, LogLevel.Warning, "The last output of {Container} is not shown: the agent never held the secrets that it was given, so they could not be taken out, and the container is gone.",
        EventName = "AppLogUnwritten")]
    public static partial void AppLogWithheld(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(207, LogLevel.Warning, "The app writes faster than 200 lines or 1 MB a second: {Count} lines are left out here. 'docker logs {Name}' has them.",
        EventName = "AppLogCapped")]
    public static partial void AppLogRateLimited(this ILogger logger, long count, string name);

    [LoggerMessage(208, LogLevel.Warning, "Some lines of {Container} may be missing here: the engine has thrown them away by now.",
        EventName = "AppLogLost")]
    public static partial void AppLogGap(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(209, LogLevel.Information, "The log of {Container} goes on with new lines: where the agent before this one was in it is not known.",
        EventName = "AppLogWithoutPlace")]
    public static partial void AppLogPositionUnknown(this ILogger logger, ContainerIdentity container);

    [LoggerMessage(210, LogLevel.Warning, "Docker Engine could not read the log of {Container}: {Words}.", EventName = "AppLogUnreadable")]
    public static partial void AppLogUnreadable(this ILogger logger, ContainerIdentity container, string words);
}
