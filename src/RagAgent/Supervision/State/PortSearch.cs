using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The look at what an unanswering container listens on.</summary>
/// <param name="Operation">Its number.</param>
/// <param name="At">When it was decided.</param>
/// <param name="Found">What the last one found; null: nothing yet, or the image has no program that could tell.</param>
internal sealed record PortSearch(long Operation, Moment At, ContainerPorts? Found)
{
    /// <summary>The container has answered once, so it listens where it should. Its number matches no report.</summary>
    public static PortSearch NotNeeded { get; } = new(-1, Moment.Zero, null);
}
