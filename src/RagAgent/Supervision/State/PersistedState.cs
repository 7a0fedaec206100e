using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>What outlives the agent's process: written whenever it changes, read once at start. Holds no secret.</summary>
/// <param name="KnownGood">Images that have proven themselves, the newest first; at most two.</param>
/// <param name="Verdict">What is known of the image that is newer than these; null: nothing is on trial.</param>
/// <param name="Hold">Why the app is to stay stopped; null: it is not.</param>
/// <param name="Runs">The runs of containers that this agent began, or adopted as they were: another start of the same container was not its own.</param>
internal sealed record PersistedState(ImmutableArray<ImageName> KnownGood, Verdict? Verdict, Hold? Hold, ImmutableArray<Run> Runs)
{
    public static PersistedState Empty { get; } = new([], null, null, []);

    public bool Equals(PersistedState? other) =>
        other is not null && Verdict == other.Verdict && Hold == other.Hold && KnownGood.SequenceEqual(other.KnownGood) && Runs.SequenceEqual(other.Runs);

    public override int GetHashCode() => HashCode.Combine(KnownGood.Length, Verdict, Hold, Runs.Length);
}

/// <summary>One run of one container.</summary>
/// <param name="ContainerId">The engine's full id.</param>
/// <param name="StartedAt">The engine's text.</param>
internal sealed record Run(string ContainerId, string StartedAt)
{
    /// <summary>The agent has asked the engine to stop it: its end, whenever it comes and whoever sees it, is nobody else's doing.</summary>
    public bool StopRequested { get; init; }
}

/// <summary>Who wants the app to be stopped. It holds until somebody starts it or the machine boots anew.</summary>
internal enum Hold
{
    /// <summary><c>ragagent stop</c>.</summary>
    Operator,

    /// <summary><c>docker stop</c>.</summary>
    DockerStop,
}
