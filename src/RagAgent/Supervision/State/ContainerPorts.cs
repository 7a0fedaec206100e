using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>What a container listens on, seen from inside.</summary>
/// <param name="Expected">The port that the agent forwards to.</param>
/// <param name="Listening">Its listening TCP ports in ascending order, each once.</param>
/// <param name="Exposed">The ports that its image exposes, in ascending order.</param>
internal sealed record ContainerPorts(int Expected, ImmutableArray<ListeningPort> Listening, ImmutableArray<int> Exposed)
{
    public bool Equals(ContainerPorts? other) =>
        other is not null && Expected == other.Expected &&
        Listening.SequenceEqual(other.Listening) && Exposed.SequenceEqual(other.Exposed);

    public override int GetHashCode() => HashCode.Combine(Expected, Listening.Length, Exposed.Length);
}

/// <param name="Port">The port.</param>
/// <param name="IsLoopbackOnly">It listens on 127.0.0.1 or ::1, which nothing outside the container reaches.</param>
internal readonly record struct ListeningPort(int Port, bool IsLoopbackOnly);
