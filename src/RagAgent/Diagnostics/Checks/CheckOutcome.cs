namespace RagAgent.Diagnostics.Checks;

/// <summary>The outcome of a check, from best to worst.</summary>
internal enum CheckOutcome
{
    Ok,

    /// <summary>The check does not apply here, or can't be made.</summary>
    Skipped,

    /// <summary>As configured, but the operator should know about it. Does not affect the exit code.</summary>
    Note,

    /// <summary>It works, but should be changed.</summary>
    Warning,

    /// <summary>It keeps the app from serving or from updates, now or after the next boot.</summary>
    Failed,
}
