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
        state = state with { LastFailure = failure, Secrets = state.Secrets.Refresh() };   // a restart is the time to take a newer version
        if (Rollout.IsAvoided(state, image))
        {
            // The image before it has done nothing wrong: it is not made to wait.
            return state with { Crashes = 0, Front = new ContainerState.Absent() };
        }
        // What went with the engine is no crash in a row; all the same the app is started again from what is on disk.
        var crashes = ranFor >= policy.RestartResetAfter ? 1 : ContainerProblems.IsEngineRestart(failure.Problem) ? Math.Max(1, state.Crashes) : state.Crashes + 1;
        return state.WithJitter(jitter => state with { Crashes = crashes, Front = new ContainerState.BackingOff(state.Now + policy.Restart.After(crashes, jitter), failure) });
    }

    /// <summary>A candidate has ended, while another one serves.</summary>
    public static AgentState CandidateFailed(AgentState state, Container container, Failure failure, Policy policy) =>
        CandidateFailed(Strike(state, container.Image, failure.Problem, policy), container.Image, failure, policy);

    /// <summary>The same for a failure whose strike was counted when it was decided on.</summary>
    public static AgentState CandidateFailed(AgentState state, ImageName? image, Failure failure, Policy policy)
    {
        var failures = state.CandidateFailures + 1;
        state = state with { LastFailure = failure };
        return Rollout.IsAvoided(state, image)
            ? state with { Candidate = null, CandidateFailures = 0 }
            : state.WithJitter(jitter => state with { CandidateFailures = failures, Candidate = new ContainerState.BackingOff(state.Now + policy.Restart.After(failures, jitter), failure) });
    }

    /// <summary>Counts what went wrong against the image, if it can be its fault at all.</summary>
    public static AgentState Strike(AgentState state, ImageName? image, Problem problem, Policy policy) =>
        ContainerProblems.Weight(problem) is > 0 and var weight ? FailureAttribution.RecordStrike(state, Rollout.Strike(state, image, weight, problem, Rollout.InputsOf(state, policy))) : state;

    /// <summary>A run of a container that was our own doing.</summary>
    public static AgentState WithRun(this AgentState state, Container container)
    {
        var run = state.RunOf(container) ?? new Run(container.Id, container.StartedAt);
        // Of the others the one that is there, however many candidates came and went beside it.
        return state with { Runs = [run, .. state.Runs.Where(r => r.ContainerId != run.ContainerId).OrderByDescending(r => r.ContainerId == state.Front.Current?.Id || r.ContainerId == state.Candidate?.Current?.Id).Take(1)] };
    }

    /// <summary>What is remembered of the container as it runs now; null: nothing.</summary>
    public static Run? RunOf(this AgentState state, Container container) =>
        state.Runs.FirstOrDefault(run => run.ContainerId == container.Id && run.StartedAt == container.StartedAt);

    /// <summary>The engine goes on with a stop that nobody waits for any more: when the agent ends, or finds that it takes too long.</summary>
    public static AgentState WithStopRequested(this AgentState state, Container container, bool isRequested) => state.RunOf(container) switch
    {
        { } run => run.StopRequested == isRequested ? state : state with { Runs = state.Runs.Replace(run, run with { StopRequested = isRequested }) },
        // Nobody's run that is known, as a stray's: its end is the agent's doing all the same.
        null => isRequested ? state with { Runs = [.. state.Runs.Take(2), new Run(container.Id, container.StartedAt) { StopRequested = true }] } : state,
    };

    /// <summary>Draws the next number for a jittered delay.</summary>
    public static AgentState WithJitter(this AgentState state, Func<double, AgentState> then)
    {
        var seed = (state.Seed * 6364136223846793005UL) + 1442695040888963407UL;
        return then((seed >> 11) / (double)(1UL << 53)) with { Seed = seed };
    }
}
