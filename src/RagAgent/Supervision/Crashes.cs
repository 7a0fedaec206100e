using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>What follows from a container's failure: a strike, a delay, or the image before it.</summary>
internal static class Crashes
{
    /// <summary>The one in front has ended: one more crash in a row, unless the run before it was long and quiet.</summary>
    public static AgentState Front(AgentState s, Container container, Failure failure, TimeSpan ranFor, Policy policy) =>
        Front(Strike(s, container.Image, failure.Problem, policy), container.Image, failure, ranFor, policy);

    /// <summary>The same for a failure whose strike was counted when it was decided on.</summary>
    public static AgentState Front(AgentState s, ImageName? image, Failure failure, TimeSpan ranFor, Policy policy)
    {
        s = s with { LastFailure = failure, Secrets = s.Secrets.Refresh() };   // a restart is the time to take a newer version
        if (Rollout.IsAvoided(s, image))
        {
            // The image before it has done nothing wrong: it is not made to wait.
            return s with { Crashes = 0, App = new App.Absent() };
        }
        // What went with the engine is no crash in a row; all the same the app is started again from what is on disk.
        var crashes = ranFor >= policy.RestartResetAfter ? 1 : Failures.IsOfTheEngine(failure.Problem) ? Math.Max(1, s.Crashes) : s.Crashes + 1;
        return s.Draw(luck => s with { Crashes = crashes, App = new App.BackingOff(s.Now + policy.Restart.After(crashes, luck), failure) });
    }

    /// <summary>A candidate has ended, while another one serves.</summary>
    public static AgentState Candidate(AgentState s, Container container, Failure failure, Policy policy) =>
        Candidate(Strike(s, container.Image, failure.Problem, policy), container.Image, failure, policy);

    /// <summary>The same for a failure whose strike was counted when it was decided on.</summary>
    public static AgentState Candidate(AgentState s, ImageName? image, Failure failure, Policy policy)
    {
        var failures = s.CandidateFailures + 1;
        s = s with { LastFailure = failure };
        return Rollout.IsAvoided(s, image)
            ? s with { Beside = null, CandidateFailures = 0 }
            : s.Draw(luck => s with { CandidateFailures = failures, Beside = new App.BackingOff(s.Now + policy.Restart.After(failures, luck), failure) });
    }

    /// <summary>Counts what went wrong against the image, if it can be its fault at all.</summary>
    public static AgentState Strike(AgentState s, ImageName? image, Problem problem, Policy policy) =>
        Failures.Weight(problem) is > 0 and var weight ? Attribution.Counted(s, Rollout.Strike(s, image, weight, problem, Rollout.Under(s, policy))) : s;

    /// <summary>A run of a container that was our own doing.</summary>
    public static AgentState Ran(this AgentState s, Container container)
    {
        var run = s.RunOf(container) ?? new Run(container.Id, container.StartedAt);
        // Of the others the one that is there, however many candidates came and went beside it.
        return s with { Runs = [run, .. s.Runs.Where(r => r.ContainerId != run.ContainerId).OrderByDescending(r => r.ContainerId == s.App.Current?.Id || r.ContainerId == s.Beside?.Current?.Id).Take(1)] };
    }

    /// <summary>What is remembered of the container as it runs now; null: nothing.</summary>
    public static Run? RunOf(this AgentState s, Container container) =>
        s.Runs.FirstOrDefault(run => run.ContainerId == container.Id && run.StartedAt == container.StartedAt);

    /// <summary>The engine goes on with a stop that nobody waits for any more: when the agent ends, or finds that it takes too long.</summary>
    public static AgentState StopAsked(this AgentState s, Container container, bool isAsked) => s.RunOf(container) switch
    {
        { } run => run.StopAsked == isAsked ? s : s with { Runs = s.Runs.Replace(run, run with { StopAsked = isAsked }) },
        // Nobody's run that is known, as a stray's: its end is the agent's doing all the same.
        null => isAsked ? s with { Runs = [.. s.Runs.Take(2), new Run(container.Id, container.StartedAt) { StopAsked = true }] } : s,
    };

    /// <summary>Draws the next number for a jittered delay.</summary>
    public static AgentState Draw(this AgentState s, Func<double, AgentState> then)
    {
        var seed = (s.Seed * 6364136223846793005UL) + 1442695040888963407UL;
        return then((seed >> 11) / (double)(1UL << 53)) with { Seed = seed };
    }
}
