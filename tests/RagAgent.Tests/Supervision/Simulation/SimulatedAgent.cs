using RagAgent.Supervision;

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

    public void Boot(Policy policy, Memory? memory)
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
        var e = what(new Moment(time.Now - _bornAt));
        var before = State;
        var step = Reducer.Next(before, e, Policy);
        State = step.State;
        var learned = !before.Good.SequenceEqual(State.Good);
        if (e is not Event.Tick || before.App != State.App || learned)
        {
            time.Tell(() => $"{Short(e)} -> {Short(State.App)}{(State.Beside is { } beside ? $" | {Short(beside)}" : "")}{(before.Verdict != State.Verdict ? $" ! {State.Verdict}" : "")}{(learned ? $" ! good: {string.Join(", ", State.Good.Select(good => good.Digest))}" : "")}");
        }
        rules.Stepped(before, e, step, Policy);
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

    private static string Short(Event e) => e switch
    {
        Event.EngineInspected seen => $"EngineInspected {string.Join(' ', seen.Inventory.Containers.Select(c => $"{c.Id}:{c.Status}"))}",
        Event.TagResolved tag => $"TagResolved {tag.Resolution.Image.Digest}",
        Event.ImageReady image => $"ImageReady {image.Image.Digest}",
        Event.StartFailed failed => $"StartFailed {failed.Problem.Code}",
        Event.StopFailed failed => $"StopFailed {failed.Problem.Code}",
        Event.Probed probed => $"Probed {probed.Probe} {probed.Result}",
        _ => e.GetType().Name,
    };

    private static string Short(App app) => app switch
    {
        App.Starting s => $"Starting {s.Release.Image.Digest} as {s.Op}",
        App.Stopping s => $"Stopping {s.Container.Id} as {s.Op}, {s.Reason.GetType().Name}",
        App.BackingOff b => $"BackingOff until {b.Until}",
        App.Serving v => $"Serving {v.Container.Id}, {v.Failures} failures",
        _ => $"{app.GetType().Name} {app.Current?.Id}",
    };
}
