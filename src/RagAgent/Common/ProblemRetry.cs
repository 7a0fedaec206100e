namespace RagAgent.Common;

/// <summary>How the agent goes on after a problem.</summary>
internal enum ProblemRetry
{
    /// <summary>Tries again after a delay that grows with each failure.</summary>
    Backoff,

    /// <summary>Whether the engine did what it was asked is unknown, so the engine is inspected first.</summary>
    AfterInspection,

    /// <summary>Fetches the image again first.</summary>
    AfterFetch,

    /// <summary>Removes old images first.</summary>
    AfterCleanup,

    /// <summary>Not automatically: it ends a command, or waits for the operator.</summary>
    Never,
}
