namespace RagAgent.Common;

/// <summary>A point in time by the agent's monotonic clock, which does not jump when someone sets the wall clock.</summary>
/// <param name="SinceStart">Time since the agent's start.</param>
internal readonly record struct Moment(TimeSpan SinceStart) : IComparable<Moment>
{
    public static Moment Zero => new(TimeSpan.Zero);
    public static Moment operator +(Moment at, TimeSpan span) => new(at.SinceStart + span);
    public static Moment operator -(Moment at, TimeSpan span) => new(at.SinceStart - span);
    public static TimeSpan operator -(Moment later, Moment earlier) => later.SinceStart - earlier.SinceStart;
    public static bool operator <(Moment a, Moment b) => a.SinceStart < b.SinceStart;
    public static bool operator >(Moment a, Moment b) => a.SinceStart > b.SinceStart;
    public static bool operator <=(Moment a, Moment b) => a.SinceStart <= b.SinceStart;
    public static bool operator >=(Moment a, Moment b) => a.SinceStart >= b.SinceStart;
    public int CompareTo(Moment other) => SinceStart.CompareTo(other.SinceStart);
    public override string ToString() => $"+{SinceStart.TotalSeconds:0.###}s";
}
