using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>The agent's loop as the supervisor runs it, on virtual time. A crash forgets all that it knew.</summary>
internal sealed class SimulatedAgent(Timeline time, Action<Effect> begin, Rules rules)
{
    private TimeSpan _bornAt;
    private long _alarm;
    private Moment? _alarmAt;

    public AgentState State { get; private set; } = new();
    public Policy Policy { get; private set; } = null!;
    public bool IsAlive { get; private set; }

    /// <summary>Counts its lives: what was begun in an earlier one reports to nobody.</summary>
    public int Life { get; private set; }

    /// <summary>Events heard in all its lives.</summary>
    public int Heard { get; private set; }

    /// <summary>After this event it crashes.</summary>
    public int? CrashesAfter { get; set; }

    /// <summary>It has come to this state.</summary>
    public event Action<AgentState>? Moved;

    /// <summary>It crashed by <see cref="CrashesAfter"/>.</summary>
    public event Action? Crashed;

    public void Boot(Policy policy, PersistedState? memory)
    {
        (Policy, IsAlive, _bornAt, _alarmAt) = (policy, true, time.Now, null);
        Life++;
        State = AgentState.Begin(memory, seed: (ulong)(time.Luck() * long.MaxValue));
        rules.Boots();
        time.Tell(() => $"the agent boots, {policy.ConfigFingerprint}");
        Hear(at => new Event.Tick(at));
    }

    public void Crash()
    {
        IsAlive = false;
        _alarm++;
        time.Tell(() => "the agent crashes");
    }

    public void Hear(Func<Moment, Event> what)
    {
        if (!IsAlive)
        {
            return;
        }
        var @event = what(new Moment(time.Now - _bornAt));
        var before = State;
        var step = Reducer.Next(before, @event, Policy);
        State = step.State;
        var learned = !before.KnownGood.SequenceEqual(State.KnownGood);
        if (@event is not Event.Tick || before.Front != State.Front || learned)
        {
            time.Tell(() => $"{Short(@event)} -> {Short(State.Front)}{(State.Candidate is { } beside ? $" | {Short(beside)}" : "")}{(before.Verdict != State.Verdict ? $" ! {State.Verdict}" : "")}{(learned ? $" ! good: {string.Join(", ", State.KnownGood.Select(good => good.Digest))}" : "")}");
        }
        rules.Stepped(before, @event, step, Policy);
        Moved?.Invoke(State);
        foreach (var effect in step.Effects)
        {
            begin(effect);
        }
        SetAlarm();
        if (Heard++ == CrashesAfter)
        {
            Crashed?.Invoke();
        }
    }

    private void SetAlarm()
    {
        var next = Deadlines.Next(State, Policy);
        if (next == _alarmAt)
        {
            return;
        }
        _alarmAt = next;
        var alarm = ++_alarm;
        if (next is { } at)
        {
            time.In(_bornAt + at.SinceStart - time.Now, () => Ring(alarm));
        }
    }

    private void Ring(long alarm)
    {
        if (alarm == _alarm)
        {
            _alarmAt = null;
            Hear(at => new Event.Tick(at));
        }
    }

    private static string Short(Event @event) => @event switch
    {
        Event.EngineInspected seen => $"EngineInspected {string.Join(' ', seen.Inventory.Containers.Select(c => $"{c.Id}:{c.Status}"))}",
        Event.TagResolved tag => $"TagResolved {tag.Resolution.Image.Digest}",
        Event.ImageReady image => $"ImageReady {image.Image.Digest}",
        Event.StartFailed failed => $"StartFailed {failed.Problem.Code}",
        Event.StopFailed failed => $"StopFailed {failed.Problem.Code}",
        Event.Probed probed => $"Probed {probed.Operation} {probed.Result}",
        _ => @event.GetType().Name,
    };

    private static string Short(ContainerState app) => app switch
    {
        ContainerState.Starting s => $"Starting {s.Release.Image.Digest} as {s.Operation}",
        ContainerState.Stopping s => $"Stopping {s.Container.Id} as {s.Operation}, {s.Reason.GetType().Name}",
        ContainerState.BackingOff b => $"BackingOff until {b.Until}",
        ContainerState.Serving v => $"Serving {v.Container.Id}, {v.Failures} failures",
        _ => $"{app.GetType().Name} {app.Current?.Id}",
    };
}
