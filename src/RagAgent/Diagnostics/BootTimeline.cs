using System.Collections.Immutable;
using System.Globalization;

namespace RagAgent.Diagnostics;

/// <summary>When this boot reached what, beside the boot before it.</summary>
/// <remarks>A boot's first way to an app that serves is what is kept: what a later life of the agent does in it is no boot.</remarks>
internal sealed class BootTimeline
{
    private const string UptimeFile = "/proc/uptime";

    /// <summary>A unit that starts with the machine starts within this.</summary>
    public static readonly TimeSpan LongestBoot = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _uptime;
    private readonly long _readAt;
    private Boot _now;

    /// <param name="bootId">The kernel's name for this boot.</param>
    /// <param name="uptime">How long the kernel runs.</param>
    /// <param name="boots">Of before.</param>
    /// <param name="time">Goes on from there.</param>
    public BootTimeline(string bootId, TimeSpan uptime, IBoots boots, TimeProvider time)
    {
        // An agent that is installed later did not come up with the machine: its way begins with itself.
        (_time, _uptime, _readAt) = (time, uptime < LongestBoot ? uptime : TimeSpan.Zero, time.GetTimestamp());
        var known = boots.Read();
        var isKnown = known is [{ } first, ..] && first.Id == bootId;
        Previous = known.ElementAtOrDefault(isKnown ? 1 : 0);
        _now = isKnown && known[0].IsOver ? known[0] : new Boot(bootId, time.GetUtcNow() - _uptime, ImmutableDictionary<Milestone, TimeSpan>.Empty);
        Reach(Milestone.Agent);
    }

    public Boot Now
    {
        get
        {
            lock (_lock)
            {
                return _now;
            }
        }
    }

    /// <summary>Null: none is known.</summary>
    public Boot? Previous { get; }

    /// <summary>For those who keep it: something was reached.</summary>
    public event Action? Changed;

    /// <summary>How long the kernel runs; zero where it does not tell.</summary>
    public static TimeSpan Uptime(string file = UptimeFile)
    {
        try
        {
            return double.TryParse(File.ReadAllText(file).Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>Only the first time counts, and nothing counts once the app has served.</summary>
    public void Reach(Milestone milestone)
    {
        lock (_lock)
        {
            if (_now.IsOver || _now.Steps.ContainsKey(milestone))
            {
                return;
            }
            _now = _now with { Steps = _now.Steps.ToImmutableDictionary().Add(milestone, _uptime + _time.GetElapsedTime(_readAt)) };
        }
        Changed?.Invoke();
    }
}
