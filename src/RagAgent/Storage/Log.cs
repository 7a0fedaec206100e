using RagAgent.Common;

namespace RagAgent.Storage;

/// <summary>Storage: IDs 700-799.</summary>
internal static partial class Log
{
    [LoggerMessage(700, LogLevel.Warning, "{Problem}", EventName = "StateIsLost")]
    public static partial void StateLost(this ILogger logger, Problem problem);

    [LoggerMessage(701, LogLevel.Information, "The timelines of earlier boots in {Path} can't be read: {Why}. The agent starts new ones.",
        EventName = "BootsUnread")]
    public static partial void BootFileUnreadable(this ILogger logger, string path, string why);

    [LoggerMessage(702, LogLevel.Warning, "The timeline of this boot can't be saved to {Path}: {Why}. Nothing depends on it.",
        EventName = "BootsUnwritten")]
    public static partial void BootFileUnwritable(this ILogger logger, string path, string why);
}
