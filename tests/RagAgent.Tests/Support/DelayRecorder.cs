using Microsoft.Extensions.Time.Testing;

namespace RagAgent.Tests.Support;

/// <summary>A fake clock that knows what is waited for, so that a test can advance exactly as far.</summary>
internal sealed class DelayRecorder(DateTimeOffset start) : FakeTimeProvider(start)
{
    private readonly Lock _lock = new();
    private TimeSpan _last = Timeout.InfiniteTimeSpan;

    /// <summary>The delay that was begun last.</summary>
    public TimeSpan LastDelay
    {
        get
        {
            lock (_lock)
            {
                return _last;
            }
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = base.CreateTimer(callback, state, dueTime, period);
        lock (_lock)
        {
            _last = dueTime;
        }
        return timer;
    }
}
