using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>One failure of the container.</summary>
/// <param name="At">When the agent learned of it.</param>
/// <param name="ReleaseId">The release that failed; null when it is unknown.</param>
/// <param name="Problem">What happened, in an operator's words.</param>
/// <param name="Exit">How its process ended; null when the agent stopped it or it never ran.</param>
internal sealed record Failure(Moment At, string? ReleaseId, Problem Problem, ContainerExit? Exit)
{
    /// <summary>The last lines of its output.</summary>
    public IReadOnlyList<string> LastLines => Exit?.LastLines ?? [];
}
