using Microsoft.Extensions.Logging;

namespace RagAgent.Proxy;

/// <summary>Front door: ids 300-399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "The front door is open on port {Port}.")]
    public static partial void Listens(this ILogger logger, int port);
}
