namespace RagAgent.Supervision.State;

/// <summary>The pull in progress.</summary>
internal sealed record PullState
{
    /// <summary>No pull in progress.</summary>
    public static PullState None { get; } = new();

    /// <summary>Of the pull that is under way; null when none is or its sizes are not known yet.</summary>
    public PullProgress? Progress { get; init; }

    /// <summary>How fast it goes; null while there is no <see cref="PullProgress"/>.</summary>
    public PullRate? Rate { get; init; }
}
