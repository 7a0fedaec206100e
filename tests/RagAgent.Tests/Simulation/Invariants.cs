using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

/// <summary>What must hold in every history. Compares the agent with the world, not with its own reasons.</summary>
internal sealed class Invariants(World world)
{
    /// <summary>The limit for any simulated minute: probes at their shortest interval, plus a crash loop and a busy operator.</summary>
    public const int MaxEffectsPerMinute = 200;

    private readonly Queue<TimeSpan> _recentEffects = new();
    private readonly Dictionary<string, int> _failedProbes = [];
    private readonly Dictionary<string, HashSet<ProbeKind>> _passed = [];
    private readonly Dictionary<ImageName, int> _rollbacks = [];
    private readonly Dictionary<ImageName, string> _unusable = [];
    private readonly HashSet<ImageName> _removed = [];
    private ImageName? _quarantined;
    private bool _isHeld, _hasServed;
    private TimeSpan _agentStartedAt;
    private Inventory? _lastInventory;
    private TimeSpan _inventoryAt;
    private Resolution? _resolved;
    private string? _secrets;
    private long _lastAdoptionCounter;

    public int BusiestMinute { get; private set; }

    public void AgentBooted()
    {
        (_lastInventory, _inventoryAt, _resolved, _secrets, _lastAdoptionCounter) = (null, world.Time.Now, null, null, 0);
        (_hasServed, _agentStartedAt) = (false, world.Time.Now);
        _failedProbes.Clear();
        _passed.Clear();
        _unusable.Clear();
        _removed.Clear();
    }

    /// <summary>Images that the agent's own cleanup removed.</summary>
    public void ImagesRemoved(IEnumerable<ImageName> images) => _removed.UnionWith(images);

    /// <summary>The state file was lost: what depends on it is not required.</summary>
    public void StateLost() => (_quarantined, _isHeld) = (null, false);

    public void MachineRebooted() => _isHeld = false;

    public HashSet<(string From, string To)> FrontTransitions { get; } = [];
    public HashSet<(string From, string To)> CandidateTransitions { get; } = [];

    public void InventoryShown(int life, TimeSpan at, Inventory inventory)
    {
        if (life == world.Agent.LifeNumber)
        {
            (_lastInventory, _inventoryAt) = (inventory, at);
        }
    }

    public void ProbeReported(Effect.Probe probe, ProbeResult result)
    {
        var id = probe.Container.Id;
        _failedProbes[id] = result switch
        {
            ProbeResult.Passed or ProbeResult.SessionFailed => 0,
            ProbeResult.Failed => _failedProbes.GetValueOrDefault(id) + 1,
            _ => _failedProbes.GetValueOrDefault(id),
        };
        var passed = _passed.TryGetValue(id, out var known) ? known : _passed[id] = [];
        // A proven image serves whatever its page showed.
        var isTolerated = result is ProbeResult.SessionFailed && GateSession.ServesAnyway(world.Agent.State, probe.Container.Image);
        if (result is ProbeResult.Passed || isTolerated)
        {
            passed.Add(probe.Kind);
        }
        else if (probe.Kind != ProbeKind.Liveness && result is not ProbeResult.NotSent && IsCurrentProbe(probe.Operation))
        {
            passed.Clear();
        }
    }

    /// <summary>The late result of an earlier probe does not count.</summary>
    private bool IsCurrentProbe(long probe) =>
        new[] { world.Agent.State.Front, world.Agent.State.Candidate }
            .Any(app => app is ContainerState.Probing { Probe.InFlight: { } number } && number == probe);

    /// <summary>Checks the state after each event.</summary>
    public void CheckStep(AgentState before, Event @event, Step step, Policy policy)
    {
        var state = step.State;
        _removed.ExceptWith(world.Engine.ImagesOnDisk);   // fetched again: if it is missing later, someone else removed it
        _resolved = @event is Event.TagResolved tag && before.Tag.IsRunning ? tag.Resolution : _resolved;
        _secrets = @event is Event.SecretsRead read && before.Secrets.IsRunning ? read.Versions.Fingerprint : _secrets;
        CheckVerdicts(before, @event, state);
        TrackUnusableImages(before, @event);
        CheckEnded(before.Front, state, @event);
        CheckEnded(before.Candidate, state, @event);
        CheckHold(before, state);
        CheckBlame(before, @event, state);
        CheckSwap(before, state, policy);
        Require(
            before.UpdateWaitsSince is not { } since || state.UpdateWaitsSince is not { } still || since == still,
            () => $"The wait of an update began at {before.UpdateWaitsSince} and then at {state.UpdateWaitsSince}.");
        RecordTransition(FrontTransitions, before.Front, state.Front);
        RecordTransition(CandidateTransitions, before.Candidate, state.Candidate);
        _hasServed |= state.Front is ContainerState.Serving;
        var next = Deadlines.Next(state, policy);
        Require(next is null || next > state.Now, () => $"The deadline {next} is still due at {state.Now}: the loop would spin.");
        Require(next is not null || !world.IsIdle || step.Effects.Length > 0,
            () => "Nothing is under way and nothing is due: the agent sleeps for ever.");
        Require(next is null || next - state.Now <= LongestDelay(policy),
            () => $"The next deadline {next} is further away than any delay of the policy.");
        if (IdleStop.IsStopping(state))
        {
            Require(!IdleStop.IsStopping(before) || step.Effects.IsEmpty, () => $"The instance stops, but {step.Effects[0]} begins.");
            return;   // nothing else matters any more
        }
        CheckRetry(state.Engine.State, state.Now, policy.Retry, next);
        CheckRetry(state.InstanceStop.State, state.Now, policy.Idle?.Retry ?? policy.Retry, Moment.Zero);
        CheckRetry(state.Secrets.State, state.Now, policy.Retry, next);
        CheckRetry(state.Tag.State, state.Now, policy.Retry, next);
        CheckRetry(state.Image.State, state.Now, policy.PullRetry, Acquisition.MayFetch(state) ? next : Moment.Zero);
        CheckRetry(state.Saved.State, state.Now, policy.Retry, Housekeeping.MustPersist(state) ? next : Moment.Zero);
        Require(
            policy.CheckInterval is null || state.Tag.State is not FetchState.Idle || state.NextCheck - state.Now <= policy.CheckInterval,
            () => $"The tag is looked at again {state.NextCheck}, not within {policy.CheckInterval}.");
        var nextLookUp = (state.Tag.State as FetchState.Waiting)?.Until ?? state.NextCheck;
        Require(
            state.Front is ContainerState.Serving || state.Hold is not null || state.Tag.State is FetchState.Running ||
                nextLookUp - state.Now <= policy.CheckIntervalWhileDown,
            () => $"Nothing serves, and the tag is looked at again {nextLookUp}.");
        Require(state.Front is not ContainerState.BackingOff waiting || next <= waiting.Until, () => $"Nothing wakes the agent at the end of {state.Front}.");
        Require(state.Front is not ContainerState.BackingOff backingOff || backingOff.Until - state.Now <= policy.Restart.Max,
            () => $"The back-off {state.Front} is longer than its bound.");
        if ((state.Front is ContainerState.Probing && before.Front is not ContainerState.Probing) ||
            (state.Candidate is ContainerState.Probing && before.Candidate is not ContainerState.Probing))
        {
            _lastAdoptionCounter = before.LastOperation;
        }
        foreach (var slot in new[] { Slot.Front, Slot.Candidate })
        {
            if (state.At(slot) is ContainerState.Stopping stopping && !IsAlreadyDecided(before, stopping))
            {
                CheckStopReason(before, state, stopping, policy);
            }
        }
    }

    /// <summary>The operation has begun, or waits until the state file is written.</summary>
    private static bool IsAlreadyDecided(AgentState before, ContainerState.Stopping stopping) =>
        before.SlotOfOperation(stopping.Operation) is not null && stopping.Operation != OperationNumber.NotDispatched ||
        new[] { before.Front, before.Candidate }.Any(app =>
            app is ContainerState.Stopping { Operation: OperationNumber.NotDispatched } waiting &&
            waiting.Container.Id == stopping.Container.Id);

    /// <summary>
    /// A container is only taken for ended if it has ended. An inspection from before an operation may show an older world.
    /// </summary>
    private void CheckEnded(ContainerState? before, AgentState state, Event @event)
    {
        if (@event is Event.EngineInspected &&
            before is ContainerState.Probing or ContainerState.Serving &&
            before.Current!.Id is var id &&
            state.Front.Current?.Id != id &&
            state.Candidate?.Current?.Id != id)
        {
            var box = world.Engine.Find(id);
            Require(box is not { IsAlive: true, StartedByHuman: false, Run: 1 }, () => $"{box!.Id} runs and is taken for ended.");
        }
    }

    /// <summary>
    /// A stop that the agent itself requested is never taken for a person's, no matter which agent process requested it, if the state file
    /// could be written.
    /// </summary>
    private void CheckHold(AgentState before, AgentState state)
    {
        if (state.Hold == StopHold.DockerStop && before.Hold is null &&
            (before.Front.Current ?? before.Evidence.LastEnd?.Container) is { } held)
        {
            var isNoted = world.StateFile?.Runs.Any(run => run.ContainerId == held.Id && run.StopRequested) == true;
            Require(!isNoted || world.Engine.Find(held.Id) is not { StoppedByHuman: false }, () => $"The end of {held.Id}, which the agent stopped, is taken for a human's.");
        }
    }

    /// <summary>Ends caused by the engine or a person are no strikes, even if the cause is known late.</summary>
    private void CheckBlame(AgentState before, Event @event, AgentState state)
    {
        if (before.Evidence.LastEnd is not { IsExternal: false } end ||
            before.Evidence.EngineDisconnected ||
            state.Now - end.Failure.At > TimeSpan.FromSeconds(20) ||
            world.Engine.Find(end.Container.Id) is not { } box)
        {
            return;
        }
        Require(
            @event is not Event.EngineDisconnected || !box.EndedByEngine || state.Failures.Last != end.Failure,
            () => $"The engine went down and took {box.Id} with it, but the app is blamed.");
        Require(
            @event is not Event.ExternalStopRequested stop || stop.ContainerId != box.Id ||
                !box.StoppedByHuman || box.IsAlive || state.Hold is not null,
            () => $"{box.Id} was stopped by hand, and the app is started again.");
        var isStruck = before.Evidence.LastStrike is { } strike && strike.At == end.Failure.At && state.Images.Verdict == strike.After;
        Require(@event is not Event.EngineDisconnected || !box.EndedByEngine || !isStruck, () => $"The engine went and took {box.Id} with it, and its image is struck for that.");
    }

    private static void RecordTransition(HashSet<(string From, string To)> transitions, ContainerState? from, ContainerState? to)
    {
        if (from?.GetType() != to?.GetType())
        {
            transitions.Add((from?.GetType().Name ?? "Empty", to?.GetType().Name ?? "Empty"));
        }
    }

    private void CheckVerdicts(AgentState before, Event @event, AgentState state)
    {
        switch (@event)
        {
            case Event.StateSaved { Saved: var memory } when before.Saved.IsRunning:
                // The late report of an outdated save does not count.
                _quarantined = memory.Verdict is Verdict.Quarantined note && note == state.Images.Verdict ? note.Image : _quarantined;
                _isHeld |= memory.Hold == StopHold.Operator && state.Hold == StopHold.Operator;
                break;
            case Event.TagResolved tag when before.Tag.IsRunning && tag.Resolution.Image != _quarantined:
                _quarantined = null;
                break;
            case Event.OperatorRequested asked:
                _quarantined = asked.Kind == RequestKind.Unquarantine && before.Hold is null ? null : _quarantined;
                _isHeld &= asked.Kind != RequestKind.Start;
                break;
        }
        if (before.Images.Verdict is Verdict.RolledBack &&
            state.Images.Verdict is Verdict.OnTrial &&
            before.Evidence.LastStrike is { } strike &&
            strike.After == before.Images.Verdict &&
            strike.Before == state.Images.Verdict)
        {
            _rollbacks[state.Images.Verdict.Image]--;   // reverted: the image was not to blame
        }
        if (state.Images.Verdict is Verdict.RolledBack { ByOperator: false } back && before.Images.Verdict is not Verdict.RolledBack)
        {
            _rollbacks[back.Image] = _rollbacks.GetValueOrDefault(back.Image) + 1;
            Require(_rollbacks[back.Image] <= 2 + world.Interventions, () => $"{back.Image} goes back and forth: it was rolled back {_rollbacks[back.Image]} times.");
        }
        if (state.Images.KnownGood.Length < before.Images.KnownGood.Length && state.Images.Verdict is not Verdict.Quarantined)
        {
            foreach (var lost in before.Images.KnownGood.Except(state.Images.KnownGood))
            {
                Require(!world.CanStart(lost), () => $"{lost} is on disk and sound, and is given up as an image to go back to.");
                Require(state.Front is not ContainerState.Serving serving || serving.Container.Image != lost, () => $"{lost} serves and is given up.");
            }
            _quarantined = state.Images.KnownGood.IsEmpty ? null : _quarantined;   // there is no other good image
        }
        Require(
            state.Images.KnownGood.Length <= 2 && state.Images.KnownGood.Distinct().Count() == state.Images.KnownGood.Length,
            () => $"The good images are {string.Join(", ", state.Images.KnownGood)}.");
        Require(
            state.Images.Verdict is not { IsAvoided: true } || ImageTrial.Fallback(state) is not null,
            () => $"{state.Images.Verdict!.Image} is avoided, but there is no other image.");
    }

    /// <summary>
    /// An image that could not start because it is missing or corrupt is not started again before it was fetched or found intact.
    /// </summary>
    private void TrackUnusableImages(AgentState before, Event @event)
    {
        switch (@event)
        {
            case Event.StartFailed failed when
                (failed.Problem.Kind == ProblemCatalog.ImageMissing || failed.Problem.Kind == ProblemCatalog.ImageCorrupt) &&
                before.SlotOfOperation(failed.Operation) is { } slot &&
                before.At(slot) is ContainerState.Starting starting:
                _unusable[starting.Release.Image] = failed.Problem.Code;
                break;
            case Event.ImageReady ready when before.Image.IsRunning:
                Forget(image => image.Digest == ready.Image.Digest);
                break;
            case Event.FallbackReady ready when before.Images.Fallback.IsRunning:
                Forget(image => image == ready.Image);
                break;
            case Event.EngineInspected { Inventory.Images: { } disk } when before.Engine is { IsRunning: true, IsOutdated: false }:
                Forget(image => _unusable[image] == ProblemCatalog.ImageMissing.Code && disk.Contains(image.ToString()));
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

    /// <summary>A container moves to the front only after it passed its probes, and the old one drains.</summary>
    private void CheckSwap(AgentState before, AgentState state, Policy policy)
    {
        if (before.Front is ContainerState.Serving old &&
            state.Front is ContainerState.Serving fresh &&
            old.Container.Id != fresh.Container.Id)
        {
            Require(policy.StartFirst, () => $"{fresh.Container.Id} was started next to {old.Container.Id}, but they share data.");
            var passed = _passed.GetValueOrDefault(fresh.Container.Id) ?? [];
            Require(passed.Contains(ProbeKind.Startup) && (!policy.HasGate || passed.Contains(ProbeKind.Gate)), () => $"{fresh.Container.Id} serves and has not passed its gate.");
            Require(state.Candidate is ContainerState.Draining, () => $"{old.Container.Id} is not drained.");
        }
        if (before.Front is ContainerState.Probing &&
            state.Front is ContainerState.Serving now &&
            before.Front.Current?.Id == now.Container.Id)
        {
            Require(_passed.GetValueOrDefault(now.Container.Id)?.Contains(ProbeKind.Startup) == true, () => $"{now.Container.Id} serves and has not passed its startup probe.");
        }
    }

    /// <summary>Checks an effect before it begins; <paramref name="pending"/> are those that have not reported yet.</summary>
    public void CheckEffect(Effect effect, IEnumerable<Effect> pending)
    {
        world.Time.Log(() => $"     begin {effect.GetType().Name} {(effect as Effect.Probe)?.Kind}");
        foreach (var other in pending)
        {
            Require(!Conflicts(effect, other), () => $"{effect} begins while {other} is in progress.");
        }
        if (effect is Effect.StartContainer)
        {
            var start = (Effect.StartContainer)effect;
            Require(start.Neighbor is null || world.Agent.Policy.StartFirst, () => $"A second container is started next to {start.Neighbor!.Id}, but they share data.");
            Require(start.Release.Image != _quarantined, () => $"{_quarantined} is quarantined and is started.");
            Require(!_unusable.ContainsKey(start.Release.Image), () => $"{start.Release.Image} can't be started as it is on disk, and is started.");
            Require(!_removed.Contains(start.Release.Image), () => $"{start.Release.Image} was removed by the agent itself, and is started.");
            Require(!_isHeld, () => "The app is to stay stopped and is started.");
            var unknown = world.Engine.RunningContainers.FirstOrDefault(running =>
                running.Id != start.Neighbor?.Id && (!running.StartedByHuman || running.StartedAt < _inventoryAt));
            Require(unknown is null, () => $"A start begins while {unknown!.Id} is alive, which the agent could know.");
        }
        if (effect is Effect.StopInstance)
        {
            CheckInstanceStop(pending);
        }
        if (effect is Effect.CleanUpImages collect)
        {
            Require(world.Agent.State.Images.KnownGood.All(good => collect.Keep.Contains(good)), () => "A good image is not kept.");
        }
        CountEffects();
    }

    /// <summary>
    /// The instance stops only if it has been idle for long enough and nothing is in progress, or if it has been up for too long.
    /// </summary>
    private void CheckInstanceStop(IEnumerable<Effect> pending)
    {
        var (now, state, idle) = (world.Time.Now, world.Agent.State, world.Agent.Policy.Idle!);
        var limit = world.BootedAt + idle.MaxUptime;
        if (now < limit + idle.UptimeGrace || limit is null)
        {
            // A drain only waits, and may wait for a container that is already gone.
            var cut = pending.FirstOrDefault(other =>
                other is Effect.FetchImage or Effect.FetchFallback or Effect.StartContainer or Effect.StopContainer or
                    Effect.CleanUpImages or Effect.SaveState ||
                (other is Effect.Drain drain && state.SlotOfOperation(drain.Operation) is not null));
            Require(cut is null, () => $"The instance is stopped while {cut} is in progress.");
            Require(state.Requests.Current is null, () => "The instance is stopped while an operator waits.");
            Require(
                state is not { Images.Verdict: Verdict.OnTrial { Strikes: 0 }, Front: ContainerState.Serving { Failures: 0 } trial } ||
                    state.Now >= trial.Since + world.Agent.Policy.Watch ||
                    !Watch.Covers(state, trial, world.Agent.Policy),
                () => "The instance is stopped in the middle of a trial.");
        }
        if (limit is { } reached && now >= reached && now >= _agentStartedAt + idle.UptimeNotice)
        {
            return;
        }
        Require(idle.StopAfter is not null, () => "The instance is stopped before its time is over, or without a notice.");
        var alone = idle.StopAfter!.Value + idle.Notice;
        Require(_hasServed || state.Hold is not null, () => "The instance is stopped before the app has served.");
        Require(now >= world.BootedAt + idle.Grace + idle.Notice, () => $"The instance is stopped {now - world.BootedAt} after its boot.");
        Require(now >= _agentStartedAt + alone, () => $"The instance is stopped {now - _agentStartedAt} after the agent began.");
        Require(world.LastUse is not { } last || now >= last + alone, () => $"The instance is stopped {now - world.LastUse} after it was used.");
    }

    private bool Conflicts(Effect a, Effect b) => (a, b) switch
    {
        // The result of a probe that was sent before its container was adopted again is ignored.
        (Effect.Probe x, Effect.Probe y) => x.Container.Id == y.Container.Id && y.Operation > _lastAdoptionCounter,
        // One look at each container's ports at a time.
        (Effect.InspectPorts x, Effect.InspectPorts y) => x.Container.Id == y.Container.Id && y.Operation > _lastAdoptionCounter,
        // One operation in each slot.
        (Effect.StartContainer or Effect.StopContainer, Effect.StartContainer or Effect.StopContainer) =>
            !world.Agent.Policy.StartFirst && !IsStray(a) && !IsStray(b),
        (Effect.CleanUpImages, Effect.FetchImage or Effect.FetchFallback) or
            (Effect.FetchImage or Effect.FetchFallback, Effect.CleanUpImages) => true,
        (Effect.Drain, Effect.Drain) => false,   // it only waits, and the result of the earlier one is ignored
        _ => a.GetType() == b.GetType(),
    };

    private static bool IsStray(Effect effect) => effect is Effect.StopContainer { Successor: not null };

    /// <summary>A container that serves or may serve is stopped only for a reason that exists in the world.</summary>
    private void CheckStopReason(AgentState before, AgentState after, ContainerState.Stopping stopping, Policy policy)
    {
        var container = stopping.Container;
        var box = world.Engine.Find(container.Id);
        switch (stopping.Reason)
        {
            case StopReason.Replaced:
                var isNewest = _resolved?.Image == container.Image && container.ConfigFingerprint == policy.ConfigFingerprint &&
                    box?.Release.SecretsFingerprint == _secrets && !ImageTrial.IsAvoided(after, container.Image);
                var isDouble = after.Front.Current?.ReleaseId == container.ReleaseId && after.Front.Current?.Id != container.Id;
                Require(!isNewest || isDouble, () => $"{container.Id} is of the newest release and is replaced.");
                var wasServing = before.Front is ContainerState.Serving && before.Front.Current?.Id == container.Id;
                Require(
                    !wasServing || !policy.StartFirst || container.ConfigFingerprint != policy.ConfigFingerprint,
                    () => $"{container.Id} serves and is stopped before another one has proven itself.");
                var inUse = world.Sessions.Count(used => used is null || world.Time.Now < used + policy.IdleAfter);
                var mayCut = !wasServing || inUse == 0 || !policy.WaitForIdle || after.Now >= before.UpdateWaitsSince + policy.WaitAtMost ||
                    (before.Requests.Current ?? after.Requests.Current) is not null ||
                    container.ConfigFingerprint != policy.ConfigFingerprint || ImageTrial.IsAvoided(after, container.Image);
                Require(mayCut, () => $"{container.Id} is replaced under {inUse} sessions in use.");
                break;
            case StopReason.Unhealthy:
                Require(_failedProbes.GetValueOrDefault(container.Id) >= policy.LivenessFailures,
                    () => $"{container.Id} is stopped though its probes did not fail in a row.");
                break;
            case StopReason.NeverHealthy:
                var probing = new[] { before.Front, before.Candidate }.OfType<ContainerState.Probing>()
                    .FirstOrDefault(p => p.Container.Id == container.Id);
                Require(probing is not null && after.Now - probing.Since >= policy.StartupDeadline, () => $"{container.Id} is stopped before its deadline.");
                break;
            case StopReason.SessionFailed:
                Require(!before.Images.KnownGood.Contains(container.Image!), () => $"{container.Id} is of a proven image and is stopped for its page.");
                Require(ImageTrial.Fallback(before) is not null, () => $"{container.Id} is stopped for its page, and nothing else can run.");
                Require(ImageTrial.IsAvoided(after, container.Image), () => $"{container.Image} failed its session and may start again.");
                break;
            case StopReason.Requested:
                Require(after.Hold is not null, () => $"{container.Id} is stopped and nobody asked for it.");
                break;
            case StopReason.Retired:
                Require(before.Candidate is ContainerState.Draining draining && draining.Container.Id == container.Id, () => $"{container.Id} is retired and was not drained.");
                break;
            case StopReason.RestartedByOther:
                Require(box is null || box.Run > 1 || box.StartedByHuman, () => $"{container.Id} is stopped as restarted and never was.");
                break;
            case StopReason.LeftOver:
                Require(!container.IsAlive && after.Front.Current is { IsAlive: true }, () => $"{container.Id} is removed as left over while it lives or nothing else does.");
                break;
            case StopReason.Stray:
                Require(_lastInventory?.Containers.Count(c => c.IsAlive) > 1, () => $"{container.Id} is stopped as a stray and was alone.");
                break;
        }
    }

    private static TimeSpan LongestDelay(Policy policy) => new[]
    {
        policy.CheckInterval ?? TimeSpan.Zero, policy.InspectInterval, 2 * policy.StartupDeadline, policy.RestartResetAfter,
        policy.WaitForIdle ? policy.WaitAtMost : TimeSpan.Zero, policy.SessionUseLasts,
        policy.Idle?.MaxUptime ?? TimeSpan.Zero,
        policy.Idle?.UptimeNotice + policy.Idle?.UptimeGrace ?? TimeSpan.Zero,
        policy.Idle?.StopAfter + policy.Idle?.ActivityInterval ?? TimeSpan.Zero,
        policy.Idle?.Grace ?? TimeSpan.Zero,
        policy.PullRetry.Max, policy.SessionRetry.Max, policy.Retry.Max, policy.Restart.Max, policy.LivenessInterval, policy.Watch,
    }.Max();

    private static void CheckRetry(FetchState work, Moment now, Backoff backoff, Moment? alarm)
    {
        Require(work is not FetchState.Waiting waiting || waiting.Until - now <= backoff.Max, () => $"{work} is longer than {backoff.Max}.");
        Require(work is not FetchState.Waiting due || alarm <= due.Until, () => $"Nothing wakes the agent at the end of {work}.");
    }

    private void CountEffects()
    {
        _recentEffects.Enqueue(world.Time.Now);
        while (world.Time.Now - _recentEffects.Peek() > TimeSpan.FromMinutes(1))
        {
            _recentEffects.Dequeue();
        }
        BusiestMinute = Math.Max(BusiestMinute, _recentEffects.Count);
        Require(_recentEffects.Count <= MaxEffectsPerMinute, () => $"{_recentEffects.Count} effects were begun within a minute.");
    }

    private static void Require(bool holds, Func<string> message)
    {
        if (!holds)
        {
            throw new InvariantViolatedException(message());
        }
    }
}

internal sealed class InvariantViolatedException(string message) : Exception(message);
