using RagAgent.Diagnostics.BootTiming;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>How far a boot has come, by the state.</summary>
internal static class ReachedBootMilestones
{
    /// <summary>Each milestone that the state shows. <c>agent</c>, <c>credentials</c> and <c>token</c> are not in the state.</summary>
    public static IEnumerable<BootMilestone> Reached(AgentState state)
    {
        if (state.Secrets.Value is not null)
        {
            yield return BootMilestone.Secret;
        }
        if (state.Tag.Value is not null)
        {
            yield return BootMilestone.Digest;
        }
        if (state.Image.Value is not null)
        {
            yield return BootMilestone.Pull;
        }
        if (state.Front is ContainerState.Probing or ContainerState.Serving)
        {
            yield return BootMilestone.Start;
        }
        if (state.Front is ContainerState.Serving)
        {
            yield return BootMilestone.Healthy;
        }
    }
}
