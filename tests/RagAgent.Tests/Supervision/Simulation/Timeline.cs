namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>Virtual time: what is due happens in order, at once. All luck of a history comes from here, so it replays.</summary>
internal sealed class Timeline(uint luck, List<string>? journal)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _due = new();
    private ulong _luck = luck;
    private long _order;

    public TimeSpan Now { get; private set; }

    public void In(TimeSpan delay, Action then) => _due.Enqueue(then, (Now + delay, _order++));

    public void RunTo(TimeSpan end)
    {
        while (_due.TryPeek(out var then, out var due) && due.At <= end)
        {
            _due.Dequeue();
            Now = due.At;
            then();
        }
        Now = end;
    }

    /// <summary>A line of the trace. What it says is only put together when somebody reads it.</summary>
    public void Tell(Func<string> what) => journal?.Add($"{Now.TotalSeconds,10:0.000}  {what()}");

    /// <summary>0 to 1. The sequence is SplitMix64's.</summary>
    public double Luck()
    {
        var z = _luck += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return ((z ^ (z >> 31)) >> 11) / (double)(1UL << 53);
    }

    public bool Chance(double probability) => Luck() < probability;

    public TimeSpan Between(double fromSeconds, double toSeconds) =>
        TimeSpan.FromSeconds(fromSeconds + (Luck() * (toSeconds - fromSeconds)));
}
