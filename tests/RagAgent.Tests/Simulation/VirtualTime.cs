namespace RagAgent.Tests.Simulation;

/// <summary>Virtual time: what is due happens in order, at once. All luck of a history comes from here, so it replays.</summary>
internal sealed class VirtualTime(uint seed, List<string>? journal)
{
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _due = new();
    private ulong _randomState = seed;
    private long _order;

    public TimeSpan Now { get; private set; }

    public void Schedule(TimeSpan delay, Action action) => _due.Enqueue(action, (Now + delay, _order++));

    public void RunTo(TimeSpan end)
    {
        while (_due.TryPeek(out var action, out var due) && due.At <= end)
        {
            _due.Dequeue();
            Now = due.At;
            action();
        }
        Now = end;
    }

    /// <summary>A line of the trace. The text is built only if a trace is wanted.</summary>
    public void Log(Func<string> what) => journal?.Add($"{Now.TotalSeconds,10:0.000}  {what()}");

    /// <summary>0 to 1. The sequence is SplitMix64's.</summary>
    public double NextDouble()
    {
        var mixed = _randomState += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return ((mixed ^ (mixed >> 31)) >> 11) / (double)(1UL << 53);
    }

    public bool Chance(double probability) => NextDouble() < probability;

    public TimeSpan Between(double fromSeconds, double toSeconds) =>
        TimeSpan.FromSeconds(fromSeconds + (NextDouble() * (toSeconds - fromSeconds)));
}
