using RagAgent.Supervision;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>What must hold in every history, held against the world and not against the agent's own reasons.</summary>
internal sealed class Rules(World world)
{
    /// <summary>In any simulated minute: probes at their shortest interval, and what a crash loop and a restless human add.</summary>
    public const int MostEffectsPerMinute = 200;

    private readonly Queue<TimeSpan> _recent = new();
    private readonly Dictionary<string, int> _failedProbes = [];
    private Inventory? _shown;
    private TimeSpan _shownAt;
    private Resolution? _resolved;
    private string? _secrets;
    private long _metAnew;

    public int BusiestMinute { get; private set; }

    public void Boots()
    {
        (_shown, _shownAt, _resolved, _secrets, _metAnew) = (null, world.Time.Now, null, null, 0);
        _failedProbes.Clear();
    }

    public void Shows(int life, TimeSpan at, Inventory inventory)
    {
        if (life == world.Agent.Life)
        {
            (_shown, _shownAt) = (inventory, at);
        }
    }

    public void Probes(Effect.Probe probe, string? fault) =>
        _failedProbes[probe.Container.Id] = fault is null ? 0 : _failedProbes.GetValueOrDefault(probe.Container.Id) + 1;

    /// <summary>After every event.</summary>
    public void Stepped(AgentState before, Event e, Step step, Policy policy)
    {
        var s = step.State;
        _resolved = e is Event.TagResolved tag && before.Tag.IsRunning ? tag.Resolution : _resolved;
        _secrets = e is Event.SecretsRead read && before.Secrets.IsRunning ? read.Versions.Fingerprint : _secrets;
        var next = Deadlines.Next(s, policy);
        Require(next is null || next > s.Now, () => $"The deadline {next} is over at {s.Now}: the loop would spin.");
        Require(next is not null || !world.IsIdle || step.Effects.Length > 0,
            () => "Nothing is under way and nothing is due: the agent sleeps for ever.");
        Require(next is null || next - s.Now <= Longest(policy),
            () => $"The next deadline {next} is further away than any delay of the policy.");
        Waits(s.Engine.Work, s.Now, policy.Retry, next);
        Waits(s.Secrets.Work, s.Now, policy.Retry, next);
        Waits(s.Tag.Work, s.Now, policy.Retry, next);
        Waits(s.Image.Work, s.Now, policy.PullRetry, s.EngineAnswers ? next : Moment.Zero);
        Require(s.App is not App.BackingOff waiting || next <= waiting.Until, () => $"Nothing wakes the agent at the end of {s.App}.");
        Require(s.App is not App.BackingOff b || b.Until - s.Now <= policy.Restart.Longest,
            () => $"The back-off {s.App} is longer than its bound.");
        if (s.App is App.Probing && before.App is not App.Probing)
        {
            _metAnew = before.Counter;
        }
        if (s.App is App.Stopping stopping && before.App != s.App && !(before.App is App.Stopping was && was.Op == stopping.Op))
        {
            StopsWithReason(before, stopping, policy);
        }
    }

    /// <summary>Before an effect is begun; <paramref name="underWay"/> are those that have not reported.</summary>
    public void Begins(Effect effect, IEnumerable<Effect> underWay)
    {
        world.Time.Tell(() => $"     begin {effect.GetType().Name} {(effect as Effect.Probe)?.Kind}");
        foreach (var other in underWay)
        {
            Require(!Collide(effect, other), () => $"{effect} begins while {other} is under way.");
        }
        if (effect is Effect.StartContainer)
        {
            var unknown = world.Engine.Alive.FirstOrDefault(b => !b.StartedByHuman || b.StartedAt < _shownAt);
            Require(unknown is null, () => $"A start begins while {unknown!.Id} is alive, which the agent could know.");
        }
        CountStorm();
    }

    private bool Collide(Effect a, Effect b) => (a, b) switch
    {
        // A probe from before its container was met anew is no longer waited for.
        (Effect.Probe x, Effect.Probe y) => x.Container.Id == y.Container.Id && y.Number > _metAnew,
        (Effect.StartContainer or Effect.StopContainer, Effect.StartContainer or Effect.StopContainer) => true,
        _ => a.GetType() == b.GetType(),
    };

    /// <summary>What serves, or may come to serve, is stopped only for a reason that the world knows too.</summary>
    private void StopsWithReason(AgentState before, App.Stopping stopping, Policy policy)
    {
        var container = stopping.Container;
        var box = world.Engine.Find(container.Id);
        switch (stopping.Reason)
        {
            case StopReason.Replaced:
                var isNewest = _resolved?.Image == container.Image && container.ConfigFingerprint == policy.ConfigFingerprint &&
                    box?.Release.SecretsFingerprint == _secrets;
                Require(!isNewest, () => $"{container.Id} is of the newest release and is replaced.");
                var wasServing = before.App is App.Serving && before.App.Current?.Id == container.Id;
                var mayCut = !wasServing || world.Sessions == 0 || !policy.WaitForIdle || before.Request is not null ||
                    container.ConfigFingerprint != policy.ConfigFingerprint;
                Require(mayCut, () => $"{container.Id} is replaced under {world.Sessions} open sessions.");
                break;
            case StopReason.Unhealthy:
                Require(_failedProbes.GetValueOrDefault(container.Id) >= policy.LivenessFailures,
                    () => $"{container.Id} is stopped though its probes did not fail in a row.");
                break;
            case StopReason.NeverHealthy:
                Require(before.App is App.Probing p && world.Agent.State.Now - p.Since >= policy.StartupDeadline,
                    () => $"{container.Id} is stopped before its deadline.");
                break;
            case StopReason.RestartedByOther:
                Require(box is null || box.Run > 1, () => $"{container.Id} is stopped as restarted and never was.");
                break;
            case StopReason.Stray:
                Require(_shown?.Containers.Count(c => c.IsAlive) > 1, () => $"{container.Id} is stopped as a stray and was alone.");
                break;
        }
    }

    private static TimeSpan Longest(Policy policy) => new[]
    {
        policy.CheckEvery ?? TimeSpan.Zero, policy.InspectEvery, policy.StartupDeadline, policy.RestartResetAfter,
        policy.PullRetry.Longest, policy.Retry.Longest, policy.Restart.Longest, policy.LivenessInterval,
    }.Max();

    private static void Waits(Work work, Moment now, Backoff backoff, Moment? alarm)
    {
        Require(work is not Work.Waiting w || w.Until - now <= backoff.Longest, () => $"{work} is longer than {backoff.Longest}.");
        Require(work is not Work.Waiting due || alarm <= due.Until, () => $"Nothing wakes the agent at the end of {work}.");
    }

    private void CountStorm()
    {
        _recent.Enqueue(world.Time.Now);
        while (world.Time.Now - _recent.Peek() > TimeSpan.FromMinutes(1))
        {
            _recent.Dequeue();
        }
        BusiestMinute = Math.Max(BusiestMinute, _recent.Count);
        Require(_recent.Count <= MostEffectsPerMinute, () => $"{_recent.Count} effects were begun within a minute.");
    }

    private static void Require(bool holds, Func<string> broken)
    {
        if (!holds)
        {
            throw new RuleBrokenException(broken());
        }
    }
}

internal sealed class RuleBrokenException(string message) : Exception(message);
