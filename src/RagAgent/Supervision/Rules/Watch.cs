using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The time that an image must serve well before it counts as good.</summary>
internal static class Watch
{
    /// <summary>Whether the verdict or the list of good images would change if this container serves well until its watch ends.</summary>
    /// <remarks>After a failed trial only a container with the same configuration and secrets proves anything against the image that
    /// failed.</remarks>
    public static bool Covers(AgentState state, ContainerState.Serving serving, Policy policy)
    {
        if (serving.Container.Image is not { } image || ImageTrial.IsAvoided(state, image))
        {
            return false;
        }
        return state.Images.Verdict is Verdict.RolledBack or Verdict.Undecided
            ? DesiredRelease.Of(state, policy)?.Id == serving.Container.ReleaseId
            : state.Images.KnownGood.FirstOrDefault() != image;
    }
}
