namespace RagAgent.Supervision.State;

/// <summary>The pull in progress.</summary>
internal sealed record PullState
{
    /// <summary>No pull in progress.</summary>
    public static PullState None { get; } = new();

    /// <summary>The progress of the pull; null when there is none or its size is not known yet.</summary>
    public PullProgress? Progress { get; init; }

    /// <summary>Its speed; null while <see cref="Progress"/> is null.</summary>
    public PullRate? Rate { get; init; }
}
