using RagAgent.Common;

namespace RagAgent.Containers;

/// <summary>Containers: ids 200-299, except those of the app's log (202-210).</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Warning, "Could not remove the stopped container {Container}. {Problem}",
        EventName = "LeftoverStays")]
    public static partial void ContainerNotRemoved(this ILogger logger, string container, Problem problem);

    [LoggerMessage(201, LogLevel.Debug, "Docker Engine's event stream ended. Reconnecting.", EventName = "EventStreamEnded")]
    public static partial void EventStreamEnded(this ILogger logger);

    [LoggerMessage(211, LogLevel.Warning, "Could not rename container {Container}; it keeps the name {Name} until the next update. {Problem}",
        EventName = "KeepsItsName")]
    public static partial void RenameFailed(this ILogger logger, string container, string name, Problem problem);
}
