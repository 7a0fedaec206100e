using System.Net;
using RagAgent.Common;
using RagAgent.Proxy.Tls;

namespace RagAgent.Proxy;

/// <summary>Front door: ids 300-399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "The front door is open on port {Port}.", EventName = "Listens")]
    public static partial void FrontDoorOpened(this ILogger logger, int port);

    [LoggerMessage(301, LogLevel.Warning, "ragagent.socket listens on port {Port}, but listen.http is {Configured}: who comes to port {Port} waits in vain. Say 'systemctl edit ragagent.socket' and give it [Socket], ListenStream= and ListenStream={Configured}, a line each; then 'systemctl stop ragagent.socket ragagent.service' and 'systemctl start ragagent.service'.",
        EventName = "NobodyListens")]
    public static partial void ActivatedPortUnused(this ILogger logger, int port, int configured);

    [LoggerMessage(302, LogLevel.Information, "The front door is open on port {Port} for HTTPS.", EventName = "ListensForHttps")]
    public static partial void HttpsOpened(this ILogger logger, int port);

    [LoggerMessage(303, LogLevel.Information, "HTTPS has the certificate for {Names} from now on, which is valid until {Until}.",
        EventName = "CertificateTaken")]
    public static partial void CertificateLoaded(this ILogger logger, Certificate names, string until);

    [LoggerMessage(304, LogLevel.Warning, "{Problem}", EventName = "CertificateTroubles")]
    public static partial void CertificateProblem(this ILogger logger, Problem problem);

    [LoggerMessage(305, LogLevel.Information, "The files of the certificate for {Names} can be used again.",
        EventName = "CertificateMended")]
    public static partial void CertificateRecovered(this ILogger logger, Certificate names);

    [LoggerMessage(306, LogLevel.Warning, "The challenge {File} can't be read: {Cause}. A certificate is not issued like this. Let the user of the service read it: 'chmod 755' for each folder and 'chmod 644' for the file.",
        EventName = "ChallengeUnreadable")]
    public static partial void ChallengeUnreadable(this ILogger logger, string file, string cause);

    [LoggerMessage(307, LogLevel.Warning, "The page is shown without its picture: {File} can't be used: {Reason}.", EventName = "PageLogo")]
    public static partial void LogoUnusable(this ILogger logger, string file, string reason);

    [LoggerMessage(308, LogLevel.Error, "A {Method} request of a visitor could not be answered, by a fault of the agent: please report it with the lines around this one.",
        EventName = "RequestBroke")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method);

    [LoggerMessage(309, LogLevel.Warning, "A wrong password came from {Address}.", EventName = "WrongPassword")]
    public static partial void WrongPassword(this ILogger logger, IPAddress address);
}
