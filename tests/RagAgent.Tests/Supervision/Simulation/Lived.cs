using RagAgent.Supervision;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>Lives a history from the first boot to the end: its turns, then everything is mended, then a quiet while.</summary>
/// <param name="TookToServe">From the moment that everything was mended.</param>
/// <param name="BusiestMinute">Effects begun in the busiest minute.</param>
internal sealed record Lived(TimeSpan TookToServe, int BusiestMinute)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(3);

    /// <exception cref="RuleBrokenException">A rule was broken; the journal holds what led to it.</exception>
    public static Lived Through(History history, List<string>? journal = null)
    {
        var world = new World(history, journal);
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
        var container = world.Agent.State.App.Current;
        world.Time.RunTo(world.Time.Now + Quiet);
        if (!world.Serves || world.Agent.State.App.Current != container)
        {
            throw new RuleBrokenException(
                $"It served and nothing was wrong, but {container!.Id} was not left alone: {world.Agent.State.App}");
        }
        return new Lived(took, world.Rules.BusiestMinute);
    }

    /// <summary>The history once more, told line by line, with the rule it breaks at the end.</summary>
    public static string Tell(History history)
    {
        var journal = new List<string>();
        string end;
        try
        {
            end = $"It holds: {Through(history, journal)}";
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
    private static TimeSpan Bound(Policy policy) =>
        (policy.CheckEvery ?? TimeSpan.Zero) + policy.InspectEvery + (2 * policy.Retry.Longest) + policy.PullRetry.Longest +
        policy.StartupDeadline + (policy.LivenessFailures * policy.LivenessInterval) + policy.Restart.Longest +
        (2 * 3 * World.SlowestStage) + TimeSpan.FromSeconds(30);
}
