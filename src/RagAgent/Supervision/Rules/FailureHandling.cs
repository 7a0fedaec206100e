using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What follows from a container's failure: a strike, a backoff, or the image before it.</summary>
internal static class FailureHandling
{
    /// <summary>The container in front ended. Counts a strike, then backs off.</summary>
    public static AgentState FrontFailed(AgentState state, Container container, Failure failure, TimeSpan ranFor, Policy policy) =>
        FrontFailed(Strike(state, container.Image, failure.Problem, policy), container.Image, failure, ranFor, policy);

    /// <summary>The container in front ended or could not be started, and the strike has already been counted.</summary>
    /// <param name="state">The state after the strike.</param>
    /// <param name="image">The image that failed; null when it is unknown.</param>
    /// <param name="failure">How it failed.</param>
    /// <param name="ranFor">How long it served. A long run forgets the crashes before it.</param>
    /// <param name="policy">The policy.</param>
    public static AgentState FrontFailed(AgentState state, ImageName? image, Failure failure, TimeSpan ranFor, Policy policy)
    {
        // A restart is the right time to pick up newer secrets.
        state = state with { Failures = state.Failures with { Last = failure }, Secrets = state.Secrets.Refresh() };
        if (ImageTrial.IsAvoided(state, image))
        {
            // The image before it did nothing wrong and starts without a delay.
            return state with { Failures = state.Failures with { Crashes = 0 }, Front = new ContainerState.Absent() };
        }
        var crashes = state.Failures.Crashes switch
        {
            _ when ranFor >= policy.RestartResetAfter => 1,
            // The engine took the container down: not one more crash, but still at least one, so that the app restarts from disk.
            var earlier when ContainerProblems.IsEngineRestart(failure.Problem) => Math.Max(1, earlier),
            var earlier => earlier + 1,
        };
        return state.WithJitter(jitter => state with
        {
            Failures = state.Failures with { Crashes = crashes },
            Front = new ContainerState.BackingOff(state.Now + policy.Restart.After(crashes, jitter), failure),
        });
    }

    /// <summary>A candidate ended while another container serves. Counts a strike, then backs off.</summary>
    public static AgentState CandidateFailed(AgentState state, Container container, Failure failure, Policy policy) =>
        CandidateFailed(Strike(state, container.Image, failure.Problem, policy), container.Image, failure, policy);

    /// <summary>A candidate ended or could not be started, and the strike has already been counted.</summary>
    public static AgentState CandidateFailed(AgentState state, ImageName? image, Failure failure, Policy policy)
    {
        var failures = state.Failures.OfCandidate + 1;
        state = state with { Failures = state.Failures with { Last = failure } };
        if (ImageTrial.IsAvoided(state, image))
        {
            return state with { Candidate = null, Failures = state.Failures with { OfCandidate = 0 } };
        }
        return state.WithJitter(jitter => state with
        {
            Failures = state.Failures with { OfCandidate = failures },
            Candidate = new ContainerState.BackingOff(state.Now + policy.Restart.After(failures, jitter), failure),
        });
    }

    /// <summary>Counts a failure against the image, if it can be the image's fault at all.</summary>
    public static AgentState Strike(AgentState state, ImageName? image, Problem problem, Policy policy)
    {
        var weight = problem.Kind.ImageBlame;
        return weight > 0
            ? FailureAttribution.RecordStrike(state, ImageTrial.Strike(state, image, weight, problem, ImageTrial.InputsOf(state, policy)))
            : state;
    }
}
