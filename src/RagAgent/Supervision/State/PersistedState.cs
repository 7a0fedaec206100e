using System.Collections.Immutable;
using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What outlives the agent's process: written whenever it changes, read once at start. Holds no secrets.</summary>
/// <param name="KnownGood">Images that have proven themselves, the newest first; at most two.</param>
/// <param name="Verdict">What is known of the image that is newer than these; null: nothing is on trial.</param>
/// <param name="Hold">Why the app stays stopped; null: it does not.</param>
/// <param name="Runs">The runs of containers that this agent began, or adopted as they were: another start of the same container was not
/// its own.</param>
/// <param name="UpdateWaitsSince">Since when a newer release waits until no session is in use; null: none does.</param>
internal sealed record PersistedState(
    ImmutableArray<ImageName> KnownGood, Verdict? Verdict, StopHold? Hold, ImmutableArray<Run> Runs, Moment? UpdateWaitsSince = null)
{
    public static PersistedState Empty { get; } = new([], null, null, []);

    public bool Equals(PersistedState? other) =>
        other is not null && Verdict == other.Verdict && Hold == other.Hold && UpdateWaitsSince == other.UpdateWaitsSince &&
        KnownGood.SequenceEqual(other.KnownGood) && Runs.SequenceEqual(other.Runs);

    public override int GetHashCode() => HashCode.Combine(KnownGood.Length, Verdict, Hold, Runs.Length);
}
