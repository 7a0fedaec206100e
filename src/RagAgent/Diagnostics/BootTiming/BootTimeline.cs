using System.Collections.Immutable;
using System.Globalization;

namespace RagAgent.Diagnostics.BootTiming;

/// <summary>When this boot reached which milestone, and the previous boot for comparison.</summary>
/// <remarks>Records only a boot's first way to a serving app. A later restart of the agent adds nothing.</remarks>
internal sealed class BootTimeline
{
    private const string UptimeFile = "/proc/uptime";

    /// <summary>An agent that starts later than this after the kernel did not start with the machine.</summary>
    public static readonly TimeSpan MaxBootTime = TimeSpan.FromMinutes(15);

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly TimeSpan _uptimeAtStart;
    private readonly long _startTimestamp;
    private BootRecord _current;

    /// <param name="bootId">The kernel's boot ID.</param>
    /// <param name="uptime">How long the kernel has been running.</param>
    /// <param name="boots">The stored boots.</param>
    /// <param name="time">Measures the time from now on.</param>
    public BootTimeline(string bootId, TimeSpan uptime, IBootStore boots, TimeProvider time)
    {
        // An agent that was started later, such as after its installation, measures from its own start.
        (_time, _uptimeAtStart, _startTimestamp) = (time, uptime < MaxBootTime ? uptime : TimeSpan.Zero, time.GetTimestamp());
        var savedBoots = boots.Read();
        var isSameBoot = savedBoots is [{ } first, ..] && first.Id == bootId;
        Previous = savedBoots.ElementAtOrDefault(isSameBoot ? 1 : 0);
        _current = isSameBoot && savedBoots[0].IsComplete
            ? savedBoots[0]
            : new BootRecord(bootId, time.GetUtcNow() - _uptimeAtStart, ImmutableDictionary<BootMilestone, TimeSpan>.Empty);
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

    /// <summary>The boot before this one; null if it is unknown.</summary>
    public BootRecord? Previous { get; }

    /// <summary>Raised after a milestone was reached.</summary>
    public event Action? Changed;

    /// <summary>How long the kernel has been running; zero if it does not say.</summary>
    public static TimeSpan Uptime(string file = UptimeFile)
    {
        try
        {
            var text = File.ReadAllText(file).Split(' ')[0];
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.Zero;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>Only the first call per milestone counts, and none after the app has served.</summary>
    public void Reach(BootMilestone milestone)
    {
        lock (_lock)
        {
            if (_current.IsComplete || _current.Steps.ContainsKey(milestone))
            {
                return;
            }
            var sinceKernelStart = _uptimeAtStart + _time.GetElapsedTime(_startTimestamp);
            _current = _current with { Steps = _current.Steps.ToImmutableDictionary().Add(milestone, sinceKernelStart) };
        }
        Changed?.Invoke();
    }
}
