using Microsoft.Extensions.Logging;

namespace RagAgent.Proxy;

/// <summary>Front door: ids 300-399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "The front door is open on port {Port}.")]
    public static partial void Listens(this ILogger logger, int port);

    [LoggerMessage(301, LogLevel.Warning, "ragagent.socket listens on port {Port}, but listen.http is {Configured}: who comes to port {Port} waits in vain. Say 'systemctl edit ragagent.socket' and give it [Socket], ListenStream= and ListenStream={Configured}, a line each; then 'systemctl stop ragagent.socket ragagent.service' and 'systemctl start ragagent.service'.")]
    public static partial void NobodyListens(this ILogger logger, int port, int configured);

    [LoggerMessage(302, LogLevel.Error, "A {Method} request of a visitor could not be answered, by a fault of the agent: please report it with the lines around this one.")]
    public static partial void RequestBroke(this ILogger logger, Exception exception, string method);
}
