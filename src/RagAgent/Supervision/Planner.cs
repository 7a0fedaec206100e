using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>Compares what is with what should be, and begins what is missing and not yet under way.</summary>
internal static class Planner
{
    /// <summary>The number of an operation that was decided on and has no number yet.</summary>
    public const long NotBegun = 0;

    public static Step Plan(AgentState s, Policy policy)
    {
        s = IdleStop.Wait(s, policy);
        if (IdleStop.IsGoing(s))
        {
            return new Step(s, []);
        }
        var effects = ImmutableArray.CreateBuilder<Effect>();
        s = Rollout.Reconsider(s, policy);
        s = Placement.Plan(s, policy, effects);
        s = Proven(s, policy);
        // What is needed follows from what was just decided.
        s = Supply.Plan(s, policy, effects);
        s = Requests.End(s, policy);
        s = Housekeeping.Plan(s, effects);
        // Last: it waits for what was just begun.
        s = IdleStop.Plan(s, policy, effects);
        return new Step(s, effects.ToImmutable());
    }

    /// <summary>A long quiet run forgets the crashes before it, and makes a good image of a new one.</summary>
    private static AgentState Proven(AgentState s, Policy policy)
    {
        if (s.App is not App.Serving { Failures: 0 } v)
        {
            return s;
        }
        // It has outlived a stop that the engine did not carry out: its end is its own again.
        s = s.Now >= v.Since + policy.RestartResetAfter ? s.StopAsked(v.Container, isAsked: false) : s;
        s = s.Crashes > 0 && s.Now >= v.Since + policy.RestartResetAfter ? s with { Crashes = 0 } : s;
        // Seen to run when the watch was over: probes that could not be asked, and an end that nobody told of, prove nothing.
        return v.Container.Image is { } image && Rollout.IsWatched(s, v, policy) && s.Now >= v.Since + policy.Watch
            ? Placement.AfterALook(s, v.Since + policy.Watch, () => Rollout.Proven(s, image))
            : s;
    }
}
