using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What follows from a container's failure: a strike, a delay, or the image before it.</summary>
internal static class FailureHandling
{
    /// <summary>The one in front has ended: one more crash in a row, unless the run before it was long and quiet.</summary>
    public static AgentState FrontFailed(AgentState state, Container container, Failure failure, TimeSpan ranFor, Policy policy) =>
        FrontFailed(Strike(state, container.Image, failure.Problem, policy), container.Image, failure, ranFor, policy);

    /// <summary>The same for a failure whose strike was counted when it was decided on.</summary>
    public static AgentState FrontFailed(AgentState state, ImageName? image, Failure failure, TimeSpan ranFor, Policy policy)
    {
        state = state with { Failures = state.Failures with { Last = failure }, Secrets = state.Secrets.Refresh() };   // a restart is the time to take a newer version
        if (Rollout.IsAvoided(state, image))
        {
            // The image before it has done nothing wrong: it is not made to wait.
            return state with { Failures = state.Failures with { Crashes = 0 }, Front = new ContainerState.Absent() };
        }
        // What went with the engine is no crash in a row; all the same the app is started again from what is on disk.
        var crashes = ranFor >= policy.RestartResetAfter ? 1 : ContainerProblems.IsEngineRestart(failure.Problem) ? Math.Max(1, state.Failures.Crashes) : state.Failures.Crashes + 1;
        return state.WithJitter(jitter => state with { Failures = state.Failures with { Crashes = crashes }, Front = new ContainerState.BackingOff(state.Now + policy.Restart.After(crashes, jitter), failure) });
    }

    /// <summary>A candidate has ended, while another one serves.</summary>
    public static AgentState CandidateFailed(AgentState state, Container container, Failure failure, Policy policy) =>
        CandidateFailed(Strike(state, container.Image, failure.Problem, policy), container.Image, failure, policy);

    /// <summary>The same for a failure whose strike was counted when it was decided on.</summary>
    public static AgentState CandidateFailed(AgentState state, ImageName? image, Failure failure, Policy policy)
    {
        var failures = state.Failures.OfCandidate + 1;
        state = state with { Failures = state.Failures with { Last = failure } };
        return Rollout.IsAvoided(state, image)
            ? state with { Candidate = null, Failures = state.Failures with { OfCandidate = 0 } }
            : state.WithJitter(jitter => state with { Failures = state.Failures with { OfCandidate = failures }, Candidate = new ContainerState.BackingOff(state.Now + policy.Restart.After(failures, jitter), failure) });
    }

    /// <summary>Counts what went wrong against the image, if it can be its fault at all.</summary>
    public static AgentState Strike(AgentState state, ImageName? image, Problem problem, Policy policy) =>
        ContainerProblems.Weight(problem) is > 0 and var weight ? FailureAttribution.RecordStrike(state, Rollout.Strike(state, image, weight, problem, Rollout.InputsOf(state, policy))) : state;
}
