using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Reconciles: compares the actual with the desired state, and begins what is missing and not in progress yet.</summary>
internal static class Planner
{
    public static Step Plan(AgentState state, Policy policy)
    {
        state = IdleStop.AwaitShutdown(state, policy);
        if (IdleStop.IsStopping(state))
        {
            return new Step(state, []);
        }
        var effects = ImmutableArray.CreateBuilder<Effect>();
        state = ImageTrial.DropStaleVerdict(state, policy);
        state = UpdateWait.Plan(state, policy);
        state = SlotPlanner.Plan(state, policy, effects);
        state = PortInspection.Plan(state, effects);
        state = ApplyUptime(state, policy);
        // What has to be acquired follows from the decisions above.
        state = Acquisition.Plan(state, policy, effects);
        state = OperatorRequests.End(state, policy);
        state = Housekeeping.Plan(state, effects);
        // Comes last: the instance does not stop while any of the work above is in progress.
        state = IdleStop.Plan(state, policy, effects);
        return new Step(state, effects.ToImmutable());
    }

    /// <summary>A long healthy run clears the crash count, and at the end of its watch the image counts as good.</summary>
    private static AgentState ApplyUptime(AgentState state, Policy policy)
    {
        if (state.Front is not ContainerState.Serving { Failures: 0 } serving)
        {
            return state;
        }
        if (state.Now >= serving.Since + policy.RestartResetAfter)
        {
            // It outlived a stop that the engine did not carry out: if it ends now, that is its own doing.
            state = state.WithStopRequested(serving.Container, isRequested: false);
            state = state.Failures.Crashes > 0 ? state with { Failures = state.Failures with { Crashes = 0 } } : state;
        }
        var watchEnd = serving.Since + policy.Watch;
        if (serving.Container.Image is not { } image || !Watch.Covers(state, serving, policy) || state.Now < watchEnd)
        {
            return state;
        }
        // It must have been seen running after the watch: probes that could not be sent, and an end not yet reported, prove nothing.
        return state.OnceReinspected(watchEnd, () => ImageTrial.PassWatch(state, image));
    }
}
