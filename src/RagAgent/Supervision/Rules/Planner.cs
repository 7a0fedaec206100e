using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Compares what is with what should be, and begins what is missing and not yet under way.</summary>
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
        state = Rollout.DropStaleVerdict(state, policy);
        state = SlotPlanner.Plan(state, policy, effects);
        state = ApplyUptime(state, policy);
        // What is needed follows from what was just decided.
        state = Acquisition.Plan(state, policy, effects);
        state = OperatorRequests.End(state, policy);
        state = Housekeeping.Plan(state, effects);
        // Last: it waits for what was just begun.
        state = IdleStop.Plan(state, policy, effects);
        return new Step(state, effects.ToImmutable());
    }

    /// <summary>A long quiet run forgets the crashes before it, and makes a good image of a new one.</summary>
    private static AgentState ApplyUptime(AgentState state, Policy policy)
    {
        if (state.Front is not ContainerState.Serving { Failures: 0 } serving)
        {
            return state;
        }
        // It has outlived a stop that the engine did not carry out: its end is its own again.
        state = state.Now >= serving.Since + policy.RestartResetAfter ? state.WithStopRequested(serving.Container, isRequested: false) : state;
        state = state.Failures.Crashes > 0 && state.Now >= serving.Since + policy.RestartResetAfter ? state with { Failures = state.Failures with { Crashes = 0 } } : state;
        // Seen to run when the watch was over: probes that could not be asked, and an end that nobody told of, prove nothing.
        return serving.Container.Image is { } image && Watch.Covers(state, serving, policy) && state.Now >= serving.Since + policy.Watch
            ? state.OnceReinspected(serving.Since + policy.Watch, () => Rollout.PassWatch(state, image))
            : state;
    }
}
