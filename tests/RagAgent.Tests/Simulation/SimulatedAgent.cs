using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

/// <summary>The agent's loop as the supervisor runs it, on virtual time. A crash loses everything it knew.</summary>
internal sealed class SimulatedAgent(VirtualTime time, Action<Effect> startEffect, Invariants invariants)
{
    private TimeSpan _startedAt;
    private long _timerNumber;
    private Moment? _timerAt;

    public AgentState State { get; private set; } = new();
    public Policy Policy { get; private set; } = null!;
    public bool IsAlive { get; private set; }

    /// <summary>Counts the agent processes. An effect of an earlier one reports to nobody.</summary>
    public int LifeNumber { get; private set; }

    /// <summary>Events handled by all agent processes.</summary>
    public int EventCount { get; private set; }

    /// <summary>The number of the event after which it crashes; null: it does not.</summary>
    public int? CrashAfterEvent { get; set; }

    /// <summary>Called with each new state.</summary>
    public event Action<AgentState>? StateChanged;

    /// <summary>It crashed because of <see cref="CrashAfterEvent"/>.</summary>
    public event Action? Crashed;

    public void Boot(Policy policy, PersistedState? memory)
    {
        (Policy, IsAlive, _startedAt, _timerAt) = (policy, true, time.Now, null);
        LifeNumber++;
        State = AgentState.Begin(memory, seed: (ulong)(time.NextDouble() * long.MaxValue));
        invariants.AgentBooted();
        time.Log(() => $"the agent boots, {policy.ConfigFingerprint}");
        Handle(at => new Event.Tick(at));
    }

    public void Crash()
    {
        IsAlive = false;
        _timerNumber++;
        time.Log(() => "the agent crashes");
    }

    public void Handle(Func<Moment, Event> createEvent)
    {
        if (!IsAlive)
        {
            return;
        }
        var @event = createEvent(new Moment(time.Now - _startedAt));
        var before = State;
        var step = Reducer.Next(before, @event, Policy);
        State = step.State;
        var learned = !before.Images.KnownGood.SequenceEqual(State.Images.KnownGood);
        if (@event is not Event.Tick || before.Front != State.Front || learned)
        {
            time.Log(() =>
                $"{Describe(@event)} -> {Describe(State.Front)}" +
                $"{(State.Candidate is { } beside ? $" | {Describe(beside)}" : "")}" +
                $"{(before.Images.Verdict != State.Images.Verdict ? $" ! {State.Images.Verdict}" : "")}" +
                $"{(learned ? $" ! good: {string.Join(", ", State.Images.KnownGood.Select(good => good.Digest))}" : "")}");
        }
        invariants.CheckStep(before, @event, step, Policy);
        StateChanged?.Invoke(State);
        foreach (var effect in step.Effects)
        {
            startEffect(effect);
        }
        SetTimer();
        if (EventCount++ == CrashAfterEvent)
        {
            Crashed?.Invoke();
        }
    }

    private void SetTimer()
    {
        var next = Deadlines.Next(State, Policy);
        if (next == _timerAt)
        {
            return;
        }
        _timerAt = next;
        var timer = ++_timerNumber;
        if (next is { } at)
        {
            time.Schedule(_startedAt + at.SinceStart - time.Now, () => TimerFired(timer));
        }
    }

    private void TimerFired(long timer)
    {
        if (timer == _timerNumber)
        {
            _timerAt = null;
            Handle(at => new Event.Tick(at));
        }
    }

    private static string Describe(Event @event) => @event switch
    {
        Event.EngineInspected seen => $"EngineInspected {string.Join(' ', seen.Inventory.Containers.Select(c => $"{c.Id}:{c.Status}"))}",
        Event.TagResolved tag => $"TagResolved {tag.Resolution.Image.Digest}",
        Event.ImageReady image => $"ImageReady {image.Image.Digest}",
        Event.StartFailed failed => $"StartFailed {failed.Problem.Code}",
        Event.StopFailed failed => $"StopFailed {failed.Problem.Code}",
        Event.Probed probed => $"Probed {probed.Operation} {probed.Result}",
        _ => @event.GetType().Name,
    };

    private static string Describe(ContainerState app) => app switch
    {
        ContainerState.Starting starting => $"Starting {starting.Release.Image.Digest} as {starting.Operation}",
        ContainerState.Stopping stopping => $"Stopping {stopping.Container.Id} as {stopping.Operation}, {stopping.Reason.GetType().Name}",
        ContainerState.BackingOff backoff => $"BackingOff until {backoff.Until}",
        ContainerState.Serving serving => $"Serving {serving.Container.Id}, {serving.Failures} failures",
        _ => $"{app.GetType().Name} {app.Current?.Id}",
    };
}
