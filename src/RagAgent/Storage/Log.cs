using Microsoft.Extensions.Logging;
using RagAgent.Supervision;

namespace RagAgent.Storage;

/// <summary>State file: ids 400-499.</summary>
internal static partial class Log
{
    [LoggerMessage(400, LogLevel.Warning, "{Problem}")]
    public static partial void StateIsLost(this ILogger logger, Problem problem);
}
