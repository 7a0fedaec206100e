namespace RagAgent.Supervision.State;

/// <summary>The requests of operators.</summary>
internal sealed record RequestState
{
    /// <summary>The request in progress; null: none.</summary>
    public OperatorRequest? Current { get; init; }

    public RequestOutcome? LastOutcome { get; init; }
}
