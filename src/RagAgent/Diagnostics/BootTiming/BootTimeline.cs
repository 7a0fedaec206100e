using System.Collections.Immutable;
using System.Globalization;

namespace RagAgent.Diagnostics.BootTiming;

/// <summary>When this boot reached what, beside the boot before it.</summary>
/// <remarks>A boot's first way to an app that serves is what is kept: what a later life of the agent does in it is no boot.</remarks>
internal sealed class BootTimeline
{
    private const string UptimeFile = "/proc/uptime";

    /// <summary>A unit that starts with the machine starts within this.</summary>
    public static readonly TimeSpan MaxBootTime = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _uptimeAtStart;
    private readonly long _startTimestamp;
    private BootRecord _current;

    /// <param name="bootId">The kernel's name for this boot.</param>
    /// <param name="uptime">How long the kernel runs.</param>
    /// <param name="boots">Of before.</param>
    /// <param name="time">Goes on from there.</param>
    public BootTimeline(string bootId, TimeSpan uptime, IBootStore boots, TimeProvider time)
    {
        // An agent that is installed later did not come up with the machine: its way begins with itself.
        (_time, _uptimeAtStart, _startTimestamp) = (time, uptime < MaxBootTime ? uptime : TimeSpan.Zero, time.GetTimestamp());
        var savedBoots = boots.Read();
        var isSameBoot = savedBoots is [{ } first, ..] && first.Id == bootId;
        Previous = savedBoots.ElementAtOrDefault(isSameBoot ? 1 : 0);
        _current = isSameBoot && savedBoots[0].IsComplete ? savedBoots[0] : new BootRecord(bootId, time.GetUtcNow() - _uptimeAtStart, ImmutableDictionary<BootMilestone, TimeSpan>.Empty);
        Reach(BootMilestone.Agent);
    }

    public BootRecord Current
    {
        get
        {
            lock (_lock)
            {
                return _current;
            }
        }
    }

    /// <summary>Null: none is known.</summary>
    public BootRecord? Previous { get; }

    /// <summary>For those who keep it: something was reached.</summary>
    public event Action? Changed;

    /// <summary>How long the kernel runs; zero where it does not tell.</summary>
    public static TimeSpan Uptime(string file = UptimeFile)
    {
        try
        {
            return double.TryParse(File.ReadAllText(file).Split(' ')[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) ? TimeSpan.FromSeconds(seconds) : TimeSpan.Zero;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>Only the first time counts, and nothing counts once the app has served.</summary>
    public void Reach(BootMilestone milestone)
    {
        lock (_lock)
        {
            if (_current.IsComplete || _current.Steps.ContainsKey(milestone))
            {
                return;
            }
            _current = _current with { Steps = _current.Steps.ToImmutableDictionary().Add(milestone, _uptimeAtStart + _time.GetElapsedTime(_startTimestamp)) };
        }
        Changed?.Invoke();
    }
}
