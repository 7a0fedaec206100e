namespace RagAgent.Supervision.State;

/// <summary>What operators asked for.</summary>
internal sealed record RequestState
{
    /// <summary>What an operator waits for.</summary>
    public OperatorRequest? Current { get; init; }

    public RequestOutcome? LastOutcome { get; init; }
}
