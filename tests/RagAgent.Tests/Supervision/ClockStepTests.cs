using Microsoft.Extensions.Time.Testing;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>A wall clock that is set, as by NTP after a boot, neither stops the supervision nor has it run wild.</summary>
public sealed class ClockStepTests
{
    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(-1)]
    [InlineData(+1)]
    public async Task A_clock_that_steps_by_an_hour_changes_no_interval(int hours)
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new SteppedTimeProvider();
        await using var app = new SupervisorFixture(time: time);
        await app.StartAsync(stop);
        var interval = Sample.DefaultPolicy.LivenessInterval;

        time.Step = TimeSpan.FromHours(hours);

        var first = app.ProbeCount;
        var passed = TimeSpan.Zero;
        for (var probe = 1; probe <= 20; probe++)
        {
            var before = app.ProbeCount;
            for (var step = 0; app.ProbeCount == before; step++)
            {
                Assert.True(step < 1000, "It stands still.");   // for a hundred intervals, and less than an hour
                time.Steady.Advance(interval / 10);
                passed += interval / 10;
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, stop);
            }
        }
        Assert.True(app.ProbeCount - first <= (passed / interval) + 1, $"{app.ProbeCount - first} probes in {passed}");
    }

    /// <summary>Timers and stamps go on steadily, whatever the wall clock says: as the kernel's do.</summary>
    private sealed class SteppedTimeProvider : TimeProvider
    {
        public FakeTimeProvider Steady { get; } = new();

        public TimeSpan Step { get; set; }

        public override long TimestampFrequency => Steady.TimestampFrequency;

        public override long GetTimestamp() => Steady.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => Steady.GetUtcNow() + Step;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            Steady.CreateTimer(callback, state, dueTime, period);
    }
}
