using RagAgent.Supervision;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

/// <summary>Runs a history from the first boot to the end: its steps, then every fault ends, then a quiet period.</summary>
/// <param name="RecoveryTime">From the end of the last fault until the newest image serves.</param>
/// <param name="BusiestMinute">Effects begun in the busiest minute.</param>
/// <param name="FrontTransitions">By the names of the states.</param>
/// <param name="CandidateTransitions">The same for the candidate slot.</param>
/// <param name="EventCount">Events that the agent heard.</param>
/// <param name="InstanceStops">How often EC2 was asked to stop the instance, and did.</param>
internal sealed record SimulatedLife(
    TimeSpan RecoveryTime,
    int BusiestMinute,
    IReadOnlySet<(string From, string To)> FrontTransitions,
    IReadOnlySet<(string From, string To)> CandidateTransitions,
    int EventCount,
    int InstanceStops)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan QuietPeriod = TimeSpan.FromMinutes(6);

    /// <param name="history">What happens.</param>
    /// <param name="journal">Takes what happened, line by line; null: nobody reads it.</param>
    /// <param name="crashAfter">
    /// The agent crashes after this many events, with its effects in progress; null: only when the history says so.
    /// </param>
    /// <param name="onState">Takes each state that the agent comes to; null: nobody looks.</param>
    /// <exception cref="InvariantViolatedException">A rule was broken; the journal holds what led to it.</exception>
    public static SimulatedLife Run(
        History history,
        List<string>? journal = null,
        int? crashAfter = null,
        Action<AgentState>? onState = null)
    {
        var world = new World(history, journal);
        world.Agent.StateChanged += onState;
        world.Agent.CrashAfterEvent = crashAfter;
        world.Boot();
        foreach (var step in history.Steps)
        {
            world.Apply(step);
        }
        world.Repair();
        var repairedAt = world.Time.Now;
        while (!world.IsSettled)
        {
            if (world.Time.Now - repairedAt > RecoveryBound(history.Policy))
            {
                throw new InvariantViolatedException(
                    $"{RecoveryBound(history.Policy)} after the last fault the newest image does not serve: {world.Agent.State}");
            }
            world.Time.RunTo(world.Time.Now + Step);
        }
        var took = world.Time.Now - repairedAt;
        var container = world.Agent.State.Front.Current;
        world.Time.RunTo(world.Time.Now + QuietPeriod);
        if (!world.IsServing || world.Agent.State.Front.Current != container)
        {
            throw new InvariantViolatedException(
                $"It served and nothing was wrong, but {container!.Id} was not left alone: {world.Agent.State.Front}");
        }
        if (history.Policy.Idle is { StopAfter: not null } idle)
        {
            RequireIdleStop(world, idle);
        }
        return new SimulatedLife(
            took,
            world.Invariants.BusiestMinute,
            world.Invariants.FrontTransitions,
            world.Invariants.CandidateTransitions,
            world.Agent.EventCount,
            world.InstanceStops);
    }

    /// <summary>While it is used the instance stays up, and without activity it stops itself in time.</summary>
    private static void RequireIdleStop(World world, IdlePolicy idle)
    {
        var (quiet, visitsEnd) = (idle.StopAfter!.Value, world.Time.Now + (3 * idle.StopAfter!.Value));
        world.Visit(quiet / 2, visitsEnd);
        world.Time.RunTo(world.Time.Now + TimeSpan.FromSeconds(1));   // whoever came before is known
        world.AllowInstanceStop();
        var bound = quiet + idle.Notice + idle.ActivityInterval + idle.Retry.Max + idle.Grace + TimeSpan.FromSeconds(30);
        for (var before = world.InstanceStops; world.InstanceStops == before;)
        {
            if (world.Time.Now > visitsEnd + bound)
            {
                throw new InvariantViolatedException($"Nobody comes and nothing is under way, and after {bound} the instance is still up: {world.Agent.State}");
            }
            world.Time.RunTo(world.Time.Now + Step);
        }
    }

    /// <summary>Runs the history again and returns its trace, with the broken invariant at the end.</summary>
    public static string Describe(History history, int? crashAfter = null)
    {
        var journal = new List<string>();
        string end;
        try
        {
            end = $"It holds: {Run(history, journal, crashAfter)}";
        }
        catch (InvariantViolatedException broken)
        {
            end = $"Broken: {broken.Message}";
        }
        return $"{history}\n{string.Join('\n', journal)}\n{end}";
    }

    /// <summary>
    /// Nothing fails any more, so each delay of the policy is waited out at most once: the tag's next look-up, a retry of each input,
    /// an engine inspected by its pulse, an old container that is given its time, a crash's back-off. What was begun while the world
    /// was slow ends slowly first.
    /// </summary>
    private static TimeSpan RecoveryBound(Policy policy) => SingleRecoveryBound(policy) + (3 * (TrialBound(policy) + policy.Watch));

    /// <summary>A bad image may still be the newest: it fails, the one before it is watched, and both perhaps once more.</summary>
    private static TimeSpan TrialBound(Policy policy) =>
        (2 * policy.StartupDeadline) + (3 * policy.Restart.Max) + (3 * TimeSpan.FromSeconds(40)) + (2 * 3 * World.SlowestStageDuration);

    private static TimeSpan SingleRecoveryBound(Policy policy) =>
        (policy.CheckInterval ?? TimeSpan.Zero) + policy.InspectInterval + (2 * policy.Retry.Max) + policy.PullRetry.Max +
        (2 * policy.StartupDeadline) + (policy.LivenessFailures * policy.LivenessInterval) + policy.Restart.Max +
        (2 * 3 * World.SlowestStageDuration) + TimeSpan.FromSeconds(30);
}
