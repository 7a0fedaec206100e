using System.Net;
using RagAgent.Common;
using RagAgent.Proxy.Tls;

namespace RagAgent.Proxy;

/// <summary>Front door: IDs 300-399.</summary>
internal static partial class Log
{
    [LoggerMessage(300, LogLevel.Information, "The front door is open on port {Port}.", EventName = "Listens")]
    public static partial void FrontDoorOpened(this ILogger logger, int port);

    [LoggerMessage(301, LogLevel.Warning,
        "ragagent.socket listens on port {Port}, but listen.http is {Configured}: connections to port {Port} hang. " +
        "Run 'systemctl edit ragagent.socket' and add [Socket], ListenStream= and ListenStream={Configured}, each on its own line; " +
        "then run 'systemctl stop ragagent.socket ragagent.service' and 'systemctl start ragagent.service'.",
        EventName = "NobodyListens")]
    public static partial void ActivatedPortUnused(this ILogger logger, int port, int configured);

    [LoggerMessage(302, LogLevel.Information, "The front door is open on port {Port} for HTTPS.", EventName = "ListensForHttps")]
    public static partial void HttpsOpened(this ILogger logger, int port);

    [LoggerMessage(303, LogLevel.Information, "Now serving HTTPS with the certificate for {Names}, valid until {Until}.",
        EventName = "CertificateTaken")]
    public static partial void CertificateLoaded(this ILogger logger, Certificate names, string until);

    [LoggerMessage(304, LogLevel.Warning, "{Problem}", EventName = "CertificateTroubles")]
    public static partial void CertificateProblem(this ILogger logger, Problem problem);

    [LoggerMessage(305, LogLevel.Information, "The files of the certificate for {Names} are usable again.",
        EventName = "CertificateMended")]
    public static partial void CertificateRecovered(this ILogger logger, Certificate names);

    [LoggerMessage(306, LogLevel.Warning,
        "The challenge {File} can't be read: {Cause}. Until it can, no certificate is issued. " +
        "Let the service's user read it: 'chmod 755' on each folder and 'chmod 644' on the file.",
        EventName = "ChallengeUnreadable")]
    public static partial void ChallengeUnreadable(this ILogger logger, string file, string cause);

    [LoggerMessage(307, LogLevel.Warning, "The status page has no logo: {File} can't be used: {Reason}.", EventName = "PageLogo")]
    public static partial void LogoUnusable(this ILogger logger, string file, string reason);

    [LoggerMessage(308, LogLevel.Error,
        "A {Method} request failed because of a bug in the agent. Please report it with the log lines around this one.",
        EventName = "RequestBroke")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method);

    // The fail2ban filter in the docs matches this line: don't change it.
    [LoggerMessage(309, LogLevel.Warning, "A wrong password came from {Address}.", EventName = "WrongPassword")]
    public static partial void WrongPassword(this ILogger logger, IPAddress address);
}
