namespace RagAgent.Diagnostics;

/// <summary>Diagnostics: IDs 600-699.</summary>
internal static partial class Log
{
    [LoggerMessage(600, LogLevel.Error,
        "The agent's {What} has not responded for {Waited}. " +
        "If it doesn't within {Limit}, systemd restarts the agent; the app keeps running.",
        EventName = "Stuck")]
    public static partial void LoopStuck(this ILogger logger, string what, string waited, string limit);

    [LoggerMessage(601, LogLevel.Information, "The agent's {What} responds again.", EventName = "Unstuck")]
    public static partial void LoopRecovered(this ILogger logger, string what);

    [LoggerMessage(602, LogLevel.Warning, "{Count} lines before this one were lost: the journal did not accept them within two seconds.",
        EventName = "LinesLost")]
    public static partial void LinesDropped(this ILogger logger, int count);
}
