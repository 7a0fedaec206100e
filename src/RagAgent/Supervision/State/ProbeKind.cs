namespace RagAgent.Supervision.State;

/// <summary>What a probe asks.</summary>
internal enum ProbeKind
{
    /// <summary>Does the app answer at all?</summary>
    Startup,

    /// <summary>May clients reach it?</summary>
    Gate,

    /// <summary>Is it still healthy?</summary>
    Liveness,
}
