using RagAgent.Supervision;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>Lives a history from the first boot to the end: its turns, then everything is mended, then a quiet while.</summary>
/// <param name="TookToServe">From the moment that everything was mended.</param>
/// <param name="BusiestMinute">Effects begun in the busiest minute.</param>
/// <param name="FrontTransitions">By the names of the states.</param>
/// <param name="BesideTransitions">The same beside.</param>
/// <param name="Heard">Events that the agent heard.</param>
/// <param name="StopsOfInstance">How often EC2 was asked to stop the instance, and did.</param>
internal sealed record Lived(TimeSpan TookToServe, int BusiestMinute, IReadOnlySet<(string From, string To)> FrontTransitions, IReadOnlySet<(string From, string To)> BesideTransitions, int Heard, int StopsOfInstance)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(6);

    /// <param name="history">What happens.</param>
    /// <param name="journal">Takes what happened, line by line; null: nobody reads it.</param>
    /// <param name="crashAfter">The agent crashes after its so-manieth event, with what it has begun under way; null: only as the history says.</param>
    /// <param name="seen">Takes each state that the agent comes to; null: nobody looks.</param>
    /// <exception cref="RuleBrokenException">A rule was broken; the journal holds what led to it.</exception>
    public static Lived Through(History history, List<string>? journal = null, int? crashAfter = null, Action<AgentState>? seen = null)
    {
        var world = new World(history, journal);
        world.Agent.Moved += seen;
        world.Agent.CrashesAfter = crashAfter;
        world.Boot();
        foreach (var turn in history.Turns)
        {
            world.Take(turn);
        }
        world.Mend();
        var mended = world.Time.Now;
        while (!world.IsSettled)
        {
            if (world.Time.Now - mended > Bound(history.Policy))
            {
                throw new RuleBrokenException(
                    $"{Bound(history.Policy)} after everything was mended the newest image does not serve: {world.Agent.State}");
            }
            world.Time.RunTo(world.Time.Now + Step);
        }
        var took = world.Time.Now - mended;
        var container = world.Agent.State.Front.Current;
        world.Time.RunTo(world.Time.Now + Quiet);
        if (!world.Serves || world.Agent.State.Front.Current != container)
        {
            throw new RuleBrokenException(
                $"It served and nothing was wrong, but {container!.Id} was not left alone: {world.Agent.State.Front}");
        }
        if (history.Policy.Idle is { StopAfter: not null } idle)
        {
            StopsWhenNobodyComes(world, idle);
        }
        return new Lived(took, world.Rules.BusiestMinute, world.Rules.FrontTransitions, world.Rules.BesideTransitions, world.Agent.Heard, world.StopsOfInstance);
    }

    /// <summary>With visitors the instance stays up, and without them it stops itself in time.</summary>
    private static void StopsWhenNobodyComes(World world, IdlePolicy idle)
    {
        var (quiet, visitsEnd) = (idle.StopAfter!.Value, world.Time.Now + (3 * idle.StopAfter!.Value));
        world.Visit(quiet / 2, visitsEnd);
        world.Time.RunTo(world.Time.Now + TimeSpan.FromSeconds(1));   // whoever came before is known
        world.AllowStopOfInstance();
        var bound = quiet + idle.Notice + idle.ActivityInterval + idle.Retry.Max + idle.Grace + TimeSpan.FromSeconds(30);
        for (var before = world.StopsOfInstance; world.StopsOfInstance == before;)
        {
            if (world.Time.Now > visitsEnd + bound)
            {
                throw new RuleBrokenException($"Nobody comes and nothing is under way, and after {bound} the instance is still up: {world.Agent.State}");
            }
            world.Time.RunTo(world.Time.Now + Step);
        }
    }

    /// <summary>The history once more, told line by line, with the rule it breaks at the end.</summary>
    public static string Tell(History history, int? crashAfter = null)
    {
        var journal = new List<string>();
        string end;
        try
        {
            end = $"It holds: {Through(history, journal, crashAfter)}";
        }
        catch (RuleBrokenException broken)
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
    private static TimeSpan Bound(Policy policy) => Once(policy) + (3 * (Trial(policy) + policy.Watch));

    /// <summary>A bad image may still be the newest: it fails, the one before it is watched, and both perhaps once more.</summary>
    private static TimeSpan Trial(Policy policy) => (2 * policy.StartupDeadline) + (3 * policy.Restart.Max) + (3 * TimeSpan.FromSeconds(40)) + (2 * 3 * World.SlowestStage);

    private static TimeSpan Once(Policy policy) =>
        (policy.CheckInterval ?? TimeSpan.Zero) + policy.InspectInterval + (2 * policy.Retry.Max) + policy.PullRetry.Max +
        (2 * policy.StartupDeadline) + (policy.LivenessFailures * policy.LivenessInterval) + policy.Restart.Max +
        (2 * 3 * World.SlowestStage) + TimeSpan.FromSeconds(30);
}
