namespace RagAgent.Supervision.State;

internal enum ProbeKind
{
    /// <summary>Does it answer at all?</summary>
    Startup,

    /// <summary>May visitors meet it?</summary>
    Gate,

    /// <summary>Is it still well?</summary>
    Liveness,
}
