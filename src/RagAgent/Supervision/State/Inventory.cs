using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>The engine's containers that carry this agent's label.</summary>
/// <param name="Containers">In no particular order.</param>
/// <param name="EngineVersion">For display.</param>
internal sealed record Inventory(ImmutableArray<Container> Containers, string EngineVersion)
{
    /// <summary>All images on disk as <c>repository@digest</c>; null when the engine did not list them.</summary>
    public IReadOnlySet<string>? Images { get; init; }

    public bool Equals(Inventory? other) =>
        other is not null && EngineVersion == other.EngineVersion && Containers.SequenceEqual(other.Containers);

    public override int GetHashCode() => HashCode.Combine(Containers.Length, EngineVersion);
}
