using System.Collections.Immutable;
using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The sessions that are open, and when people last used them.</summary>
/// <param name="Opaque">How many can't be read. They count as used as long as they are open.</param>
/// <param name="LastActivity">
/// When each of the others was last used; at least the agent's start. May lag behind by <see cref="Policy.SessionReportInterval"/>.
/// </param>
internal sealed record OpenSessions(int Opaque, ImmutableArray<Moment> LastActivity)
{
    public static OpenSessions None { get; } = new(0, []);

    public int Count => Opaque + LastActivity.Length;

    public bool Equals(OpenSessions? other) =>
        other is not null && Opaque == other.Opaque && LastActivity.SequenceEqual(other.LastActivity);

    public override int GetHashCode() => HashCode.Combine(Opaque, LastActivity.Length);
}
