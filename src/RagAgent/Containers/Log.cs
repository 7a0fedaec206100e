using Microsoft.Extensions.Logging;
using RagAgent.Supervision;

namespace RagAgent.Containers;

/// <summary>Containers: ids 200-299.</summary>
internal static partial class Log
{
    [LoggerMessage(200, LogLevel.Warning, "Container {Container}, which could not be started, could not be removed either. {Problem}")]
    public static partial void LeftoverStays(this ILogger logger, string container, Problem problem);

    [LoggerMessage(201, LogLevel.Debug, "The engine's event stream ended; it is opened again.")]
    public static partial void EventStreamEnded(this ILogger logger);

    [LoggerMessage(202, LogLevel.Warning, "Container {Container} keeps the name {Name} until the next update. {Problem}")]
    public static partial void KeepsItsName(this ILogger logger, string container, string name, Problem problem);
}
