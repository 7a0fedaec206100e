using RagAgent.Common;

namespace RagAgent.Secrets;

/// <summary>Secrets: ids 800-899.</summary>
internal static partial class Log
{
    [LoggerMessage(800, LogLevel.Information, "Read the password's hash: {Version}.", EventName = "PasswordRead")]
    public static partial void PasswordHashRead(this ILogger logger, string version);

    [LoggerMessage(801, LogLevel.Warning, "{Problem}", EventName = "PasswordTrouble")]
    public static partial void PasswordHashProblem(this ILogger logger, Problem problem);
}
