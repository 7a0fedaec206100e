using RagAgent.Supervision;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>What must hold in every history, held against the world and not against the agent's own reasons.</summary>
internal sealed class Rules(World world)
{
    /// <summary>In any simulated minute: probes at their shortest interval, and what a crash loop and a restless human add.</summary>
    public const int MostEffectsPerMinute = 200;

    private readonly Queue<TimeSpan> _recent = new();
    private readonly Dictionary<string, int> _failedProbes = [];
    private readonly Dictionary<string, HashSet<ProbeKind>> _passed = [];
    private readonly Dictionary<ImageName, int> _rollbacks = [];
    private readonly Dictionary<ImageName, string> _unusable = [];
    private readonly HashSet<ImageName> _removed = [];
    private ImageName? _quarantined;
    private bool _held, _served;
    private TimeSpan _bornAt;
    private Inventory? _shown;
    private TimeSpan _shownAt;
    private Resolution? _resolved;
    private string? _secrets;
    private long _metAnew;

    public int BusiestMinute { get; private set; }

    public void Boots()
    {
        (_shown, _shownAt, _resolved, _secrets, _metAnew) = (null, world.Time.Now, null, null, 0);
        (_served, _bornAt) = (false, world.Time.Now);
        _failedProbes.Clear();
        _passed.Clear();
        _unusable.Clear();
        _removed.Clear();
    }

    /// <summary>The agent's own removal of old images did this.</summary>
    public void Removes(IEnumerable<ImageName> images) => _removed.UnionWith(images);

    /// <summary>What was remembered is gone: what follows from it is not asked for.</summary>
    public void StateIsLost() => (_quarantined, _held) = (null, false);

    public void Reboots() => _held = false;

    public HashSet<(string From, string To)> FrontTransitions { get; } = [];
    public HashSet<(string From, string To)> BesideTransitions { get; } = [];

    public void Shows(int life, TimeSpan at, Inventory inventory)
    {
        if (life == world.Agent.Life)
        {
            (_shown, _shownAt) = (inventory, at);
        }
    }

    public void Probes(Effect.Probe probe, ProbeResult result)
    {
        var id = probe.Container.Id;
        _failedProbes[id] = result switch
        {
            ProbeResult.Passed => 0,
            ProbeResult.Failed => _failedProbes.GetValueOrDefault(id) + 1,
            _ => _failedProbes.GetValueOrDefault(id),
        };
        var passed = _passed.TryGetValue(id, out var known) ? known : _passed[id] = [];
        if (result is ProbeResult.Passed)
        {
            passed.Add(probe.Kind);
        }
        else if (probe.Kind != ProbeKind.Liveness && result is ProbeResult.Failed && IsWaitedFor(probe.Number))
        {
            passed.Clear();
        }
    }

    /// <summary>Late news of an earlier probe says nothing any more.</summary>
    private bool IsWaitedFor(long probe) =>
        new[] { world.Agent.State.App, world.Agent.State.Beside }.Any(app => app is App.Probing { Probe.InFlight: { } number } && number == probe);

    /// <summary>After every event.</summary>
    public void Stepped(AgentState before, Event e, Step step, Policy policy)
    {
        var s = step.State;
        _removed.ExceptWith(world.Engine.Disk);   // fetched again: from then on it is somebody else's doing when it is gone
        _resolved = e is Event.TagResolved tag && before.Tag.IsRunning ? tag.Resolution : _resolved;
        _secrets = e is Event.SecretsRead read && before.Secrets.IsRunning ? read.Versions.Fingerprint : _secrets;
        Learns(before, e, s);
        LearnsOfImages(before, e);
        Ends(before.App, s, e);
        Ends(before.Beside, s, e);
        Holds(before, s);
        Blames(before, e, s);
        Swaps(before, s, policy);
        Goes(FrontTransitions, before.App, s.App);
        Goes(BesideTransitions, before.Beside, s.Beside);
        _served |= s.App is App.Serving;
        var next = Deadlines.Next(s, policy);
        Require(next is null || next > s.Now, () => $"The deadline {next} is over at {s.Now}: the loop would spin.");
        Require(next is not null || !world.IsIdle || step.Effects.Length > 0,
            () => "Nothing is under way and nothing is due: the agent sleeps for ever.");
        Require(next is null || next - s.Now <= Longest(policy),
            () => $"The next deadline {next} is further away than any delay of the policy.");
        if (IdleStop.IsGoing(s))
        {
            Require(!IdleStop.IsGoing(before) || step.Effects.IsEmpty, () => $"The instance goes, and {step.Effects[0]} is begun.");
            return;   // nothing else is waited for
        }
        Waits(s.Engine.Work, s.Now, policy.Retry, next);
        Waits(s.InstanceStop.Work, s.Now, policy.Idle?.Retry ?? policy.Retry, Moment.Zero);
        Waits(s.Secrets.Work, s.Now, policy.Retry, next);
        Waits(s.Tag.Work, s.Now, policy.Retry, next);
        Waits(s.Image.Work, s.Now, policy.PullRetry, Supply.MayFetch(s) ? next : Moment.Zero);
        Waits(s.Written.Work, s.Now, policy.Retry, Housekeeping.WantsWriting(s) ? next : Moment.Zero);
        Require(policy.CheckEvery is null || s.Tag.Work is not Work.Idle || s.NextCheck - s.Now <= policy.CheckEvery, () => $"The tag is looked at again {s.NextCheck}, not within {policy.CheckEvery}.");
        Require(s.App is not App.BackingOff waiting || next <= waiting.Until, () => $"Nothing wakes the agent at the end of {s.App}.");
        Require(s.App is not App.BackingOff b || b.Until - s.Now <= policy.Restart.Longest,
            () => $"The back-off {s.App} is longer than its bound.");
        if ((s.App is App.Probing && before.App is not App.Probing) || (s.Beside is App.Probing && before.Beside is not App.Probing))
        {
            _metAnew = before.Counter;
        }
        foreach (var slot in new[] { Slot.Front, Slot.Beside })
        {
            if (s.At(slot) is App.Stopping stopping && !IsAlreadyDecided(before, stopping))
            {
                StopsWithReason(before, s, stopping, policy);
            }
        }
    }

    /// <summary>Begun already, or decided and waiting for its note.</summary>
    private static bool IsAlreadyDecided(AgentState before, App.Stopping stopping) =>
        before.SlotOf(stopping.Op) is not null && stopping.Op != Planner.NotBegun ||
        new[] { before.App, before.Beside }.Any(app => app is App.Stopping { Op: Planner.NotBegun } waiting && waiting.Container.Id == stopping.Container.Id);

    /// <summary>What an inspection showed as ended has ended: an answer from before an operation shows the world before it.</summary>
    private void Ends(App? before, AgentState s, Event e)
    {
        if (e is Event.EngineInspected && before is App.Probing or App.Serving && before.Current!.Id is var id && s.App.Current?.Id != id && s.Beside?.Current?.Id != id)
        {
            var box = world.Engine.Find(id);
            Require(box is not { IsAlive: true, StartedByHuman: false, Run: 1 }, () => $"{box!.Id} runs and is taken for ended.");
        }
    }

    /// <summary>What the agent itself asked the engine for is no wish of somebody else's, in whichever life it asked, if it could still write that down.</summary>
    private void Holds(AgentState before, AgentState s)
    {
        if (s.Hold == Hold.Hand && before.Hold is null && (before.App.Current ?? before.LastEnd?.Container) is { } held)
        {
            var isNoted = world.StateFile?.Runs.Any(run => run.ContainerId == held.Id && run.StopAsked) == true;
            Require(!isNoted || world.Engine.Find(held.Id) is not { StoppedByHuman: false }, () => $"The end of {held.Id}, which the agent stopped, is taken for a human's.");
        }
    }

    /// <summary>What the engine or a person did is held against no image, also when that comes out late.</summary>
    private void Blames(AgentState before, Event e, AgentState s)
    {
        if (before.LastEnd is not { IsByHand: false } end || before.EngineBroke || s.Now - end.Failure.At > TimeSpan.FromSeconds(20) || world.Engine.Find(end.Container.Id) is not { } box)
        {
            return;
        }
        Require(e is not Event.EngineBroke || !box.EndedByEngine || s.LastFailure != end.Failure, () => $"The engine went and took {box.Id} with it, and that is told as the app's failure.");
        Require(e is not Event.StopCalled stop || stop.ContainerId != box.Id || !box.StoppedByHuman || box.IsAlive || s.Hold is not null, () => $"{box.Id} was stopped by hand, and the app is started again.");
        var isStruck = before.LastStrike is { } strike && strike.At == end.Failure.At && s.Verdict == strike.After;
        Require(e is not Event.EngineBroke || !box.EndedByEngine || !isStruck, () => $"The engine went and took {box.Id} with it, and its image is struck for that.");
    }

    private static void Goes(HashSet<(string From, string To)> ways, App? from, App? to)
    {
        if (from?.GetType() != to?.GetType())
        {
            ways.Add((from?.GetType().Name ?? "Empty", to?.GetType().Name ?? "Empty"));
        }
    }

    private void Learns(AgentState before, Event e, AgentState s)
    {
        switch (e)
        {
            case Event.Remembered { Memory: var memory } when before.Written.IsRunning:
                // Late news of a note that is overtaken binds nobody.
                _quarantined = memory.Verdict is Verdict.Quarantined note && note == s.Verdict ? note.Image : _quarantined;
                _held |= memory.Hold == Hold.Operator && s.Hold == Hold.Operator;
                break;
            case Event.TagResolved tag when before.Tag.IsRunning && tag.Resolution.Image != _quarantined:
                _quarantined = null;
                break;
            case Event.Asked asked:
                _quarantined = asked.Kind == RequestKind.Unquarantine && before.Hold is null ? null : _quarantined;
                _held &= asked.Kind != RequestKind.Start;
                break;
        }
        if (before.Verdict is Verdict.RolledBack && s.Verdict is Verdict.OnTrial && before.LastStrike is { } strike && strike.After == before.Verdict && strike.Before == s.Verdict)
        {
            _rollbacks[s.Verdict.Image]--;   // taken back: it was not its doing
        }
        if (s.Verdict is Verdict.RolledBack { Asked: false } back && before.Verdict is not Verdict.RolledBack)
        {
            _rollbacks[back.Image] = _rollbacks.GetValueOrDefault(back.Image) + 1;
            Require(_rollbacks[back.Image] <= 2 + world.Interventions, () => $"{back.Image} goes back and forth: it was rolled back {_rollbacks[back.Image]} times.");
        }
        if (s.Good.Length < before.Good.Length && s.Verdict is not Verdict.Quarantined)
        {
            foreach (var lost in before.Good.Except(s.Good))
            {
                Require(!world.CanStart(lost), () => $"{lost} is on disk and sound, and is given up as an image to go back to.");
                Require(s.App is not App.Serving serving || serving.Container.Image != lost, () => $"{lost} serves and is given up.");
            }
            _quarantined = s.Good.IsEmpty ? null : _quarantined;   // there is no other good one
        }
        Require(s.Good.Length <= 2 && s.Good.Distinct().Count() == s.Good.Length, () => $"The good images are {string.Join(", ", s.Good)}.");
        Require(s.Verdict is not { Avoids: true } || Rollout.Fallback(s) is not null, () => $"{s.Verdict!.Image} is set aside and there is no other.");
    }

    /// <summary>What the engine could not start, for the image's own sake, is not tried again before it was fetched or found whole.</summary>
    private void LearnsOfImages(AgentState before, Event e)
    {
        switch (e)
        {
            case Event.StartFailed { Problem.Code: ProblemCodes.ImageMissing or ProblemCodes.ImageCorrupt } failed when before.SlotOf(failed.Op) is { } slot && before.At(slot) is App.Starting starting:
                _unusable[starting.Release.Image] = failed.Problem.Code;
                break;
            case Event.ImageReady ready when before.Image.IsRunning:
                Forget(image => image.Digest == ready.Image.Digest);
                break;
            case Event.SpareReady ready when before.Spare.IsRunning:
                Forget(image => image == ready.Image);
                break;
            case Event.EngineInspected { Inventory.Images: { } disk } when before.Engine is { IsRunning: true, IsOutdated: false }:
                Forget(image => _unusable[image] == ProblemCodes.ImageMissing && disk.Contains(image.ToString()));
                break;
        }

        void Forget(Func<ImageName, bool> usable)
        {
            foreach (var image in _unusable.Keys.Where(usable).ToList())
            {
                _unusable.Remove(image);
            }
        }
    }

    /// <summary>Another container is in front only after it passed all that it had to, and the old one is let go, not dropped.</summary>
    private void Swaps(AgentState before, AgentState s, Policy policy)
    {
        if (before.App is App.Serving old && s.App is App.Serving fresh && old.Container.Id != fresh.Container.Id)
        {
            Require(policy.StartFirst, () => $"{fresh.Container.Id} was started beside {old.Container.Id}, and they share data.");
            var passed = _passed.GetValueOrDefault(fresh.Container.Id) ?? [];
            Require(passed.Contains(ProbeKind.Startup) && (!policy.HasGate || passed.Contains(ProbeKind.Gate)), () => $"{fresh.Container.Id} serves and has not passed its gate.");
            Require(s.Beside is App.Draining, () => $"{old.Container.Id} is not drained.");
        }
        if (before.App is App.Probing && s.App is App.Serving now && before.App.Current?.Id == now.Container.Id)
        {
            Require(_passed.GetValueOrDefault(now.Container.Id)?.Contains(ProbeKind.Startup) == true, () => $"{now.Container.Id} serves and has not passed its startup probe.");
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
            var start = (Effect.StartContainer)effect;
            Require(start.Beside is null || world.Agent.Policy.StartFirst, () => $"A second container is started beside {start.Beside!.Id}, and they share data.");
            Require(start.Release.Image != _quarantined, () => $"{_quarantined} is quarantined and is started.");
            Require(!_unusable.ContainsKey(start.Release.Image), () => $"{start.Release.Image} can't be started as it is on disk, and is started.");
            Require(!_removed.Contains(start.Release.Image), () => $"{start.Release.Image} was removed by the agent itself, and is started.");
            Require(!_held, () => "The app is to stay stopped and is started.");
            var unknown = world.Engine.Alive.FirstOrDefault(b => b.Id != start.Beside?.Id && (!b.StartedByHuman || b.StartedAt < _shownAt));
            Require(unknown is null, () => $"A start begins while {unknown!.Id} is alive, which the agent could know.");
        }
        if (effect is Effect.StopInstance)
        {
            StopsInstance(underWay);
        }
        if (effect is Effect.Collect collect)
        {
            Require(world.Agent.State.Good.All(good => collect.Keep.Contains(good)), () => "A good image is not kept.");
        }
        CountStorm();
    }

    /// <summary>The instance is asked to stop: only when nobody has used it for long enough and nothing is under way, or when it has been up for too long.</summary>
    private void StopsInstance(IEnumerable<Effect> underWay)
    {
        var (now, s, idle) = (world.Time.Now, world.Agent.State, world.Agent.Policy.Idle!);
        var limit = world.BootedAt + idle.MaxUptime;
        if (now < limit + idle.UptimePatience || limit is null)
        {
            // A drain only waits, and may wait for one that has gone since.
            var cut = underWay.FirstOrDefault(other => other is Effect.EnsureImage or Effect.EnsureSpare or Effect.StartContainer or Effect.StopContainer or Effect.Collect or Effect.Remember
                || (other is Effect.Drain drain && s.SlotOf(drain.Op) is not null));
            Require(cut is null, () => $"The instance is stopped while {cut} is under way.");
            Require(s.Request is null, () => "The instance is stopped while an operator waits.");
            Require(s is not { Verdict: Verdict.OnTrial { Strikes: 0 }, App: App.Serving { Failures: 0 } trial } || s.Now >= trial.Since + world.Agent.Policy.Watch || !Rollout.IsWatched(s, trial, world.Agent.Policy),
                () => "The instance is stopped in the middle of a trial.");
        }
        if (limit is { } reached && now >= reached && now >= _bornAt + idle.UptimeNotice)
        {
            return;
        }
        Require(idle.StopAfter is not null, () => "The instance is stopped before its time is over, or without a notice.");
        var alone = idle.StopAfter!.Value + idle.Notice;
        Require(_served || s.Hold is not null, () => "The instance is stopped before the app has served.");
        Require(now >= world.BootedAt + idle.Grace + idle.Notice, () => $"The instance is stopped {now - world.BootedAt} after its boot.");
        Require(now >= _bornAt + alone, () => $"The instance is stopped {now - _bornAt} after the agent began.");
        Require(world.LastUse is not { } last || now >= last + alone, () => $"The instance is stopped {now - world.LastUse} after it was used.");
    }

    private bool Collide(Effect a, Effect b) => (a, b) switch
    {
        // A probe from before its container was met anew is no longer waited for.
        (Effect.Probe x, Effect.Probe y) => x.Container.Id == y.Container.Id && y.Number > _metAnew,
        // One place at a time; the other place has its own.
        (Effect.StartContainer or Effect.StopContainer, Effect.StartContainer or Effect.StopContainer) => !world.Agent.Policy.StartFirst && !IsStray(a) && !IsStray(b),
        (Effect.Collect, Effect.EnsureImage or Effect.EnsureSpare) or (Effect.EnsureImage or Effect.EnsureSpare, Effect.Collect) => true,
        (Effect.Drain, Effect.Drain) => false,   // it only waits, and news of the earlier one is dropped
        _ => a.GetType() == b.GetType(),
    };

    private static bool IsStray(Effect effect) => effect is Effect.StopContainer { Heir: not null };

    /// <summary>What serves, or may come to serve, is stopped only for a reason that the world knows too.</summary>
    private void StopsWithReason(AgentState before, AgentState after, App.Stopping stopping, Policy policy)
    {
        var container = stopping.Container;
        var box = world.Engine.Find(container.Id);
        switch (stopping.Reason)
        {
            case StopReason.Replaced:
                var isNewest = _resolved?.Image == container.Image && container.ConfigFingerprint == policy.ConfigFingerprint &&
                    box?.Release.SecretsFingerprint == _secrets && !Rollout.IsAvoided(after, container.Image);
                var isDouble = after.App.Current?.ReleaseId == container.ReleaseId && after.App.Current?.Id != container.Id;
                Require(!isNewest || isDouble, () => $"{container.Id} is of the newest release and is replaced.");
                var wasServing = before.App is App.Serving && before.App.Current?.Id == container.Id;
                Require(!wasServing || !policy.StartFirst || container.ConfigFingerprint != policy.ConfigFingerprint, () => $"{container.Id} serves and is stopped before another one has proven itself.");
                var mayCut = !wasServing || world.Sessions == 0 || !policy.WaitForIdle || before.Request is not null ||
                    container.ConfigFingerprint != policy.ConfigFingerprint || Rollout.IsAvoided(after, container.Image);
                Require(mayCut, () => $"{container.Id} is replaced under {world.Sessions} open sessions.");
                break;
            case StopReason.Unhealthy:
                Require(_failedProbes.GetValueOrDefault(container.Id) >= policy.LivenessFailures,
                    () => $"{container.Id} is stopped though its probes did not fail in a row.");
                break;
            case StopReason.NeverHealthy:
                var probing = new[] { before.App, before.Beside }.OfType<App.Probing>().FirstOrDefault(p => p.Container.Id == container.Id);
                Require(probing is not null && after.Now - probing.Since >= policy.StartupDeadline, () => $"{container.Id} is stopped before its deadline.");
                break;
            case StopReason.Asked:
                Require(after.Hold is not null, () => $"{container.Id} is stopped and nobody asked for it.");
                break;
            case StopReason.Retired:
                Require(before.Beside is App.Draining d && d.Container.Id == container.Id, () => $"{container.Id} is retired and was not drained.");
                break;
            case StopReason.RestartedByOther:
                Require(box is null || box.Run > 1 || box.StartedByHuman, () => $"{container.Id} is stopped as restarted and never was.");
                break;
            case StopReason.LeftOver:
                Require(!container.IsAlive && after.App.Current is { IsAlive: true }, () => $"{container.Id} is removed as left over while it lives or nothing else does.");
                break;
            case StopReason.Stray:
                Require(_shown?.Containers.Count(c => c.IsAlive) > 1, () => $"{container.Id} is stopped as a stray and was alone.");
                break;
        }
    }

    private static TimeSpan Longest(Policy policy) => new[]
    {
        policy.CheckEvery ?? TimeSpan.Zero, policy.InspectEvery, 2 * policy.StartupDeadline, policy.RestartResetAfter,
        policy.Idle?.MaxUptime ?? TimeSpan.Zero, policy.Idle?.UptimeNotice + policy.Idle?.UptimePatience ?? TimeSpan.Zero, policy.Idle?.StopAfter + policy.Idle?.ToldEvery ?? TimeSpan.Zero, policy.Idle?.Grace ?? TimeSpan.Zero, policy.PullRetry.Longest, policy.Retry.Longest, policy.Restart.Longest, policy.LivenessInterval, policy.Watch,
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
