using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>Where a moment is on the wall clock: what a script reads twice is the same twice.</summary>
public sealed class AgentClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly SteppableTimeProvider _time = new() { Wall = Noon };
    private readonly AgentClock _clock;
    private readonly Moment _at;

    public AgentClockTests()
    {
        _clock = new AgentClock(_time);
        _time.Advance(TimeSpan.FromSeconds(10));
        _at = _clock.Now;
    }

    [Fact]
    public void A_moment_keeps_its_wall_time_across_readings_of_the_clock()
    {
        var first = _clock.WallTime(_at);
        _time.Advance(TimeSpan.FromHours(1));
        _time.Wall += TimeSpan.FromTicks(7);

        Assert.Equal(Noon.AddSeconds(10), first);
        Assert.Equal(first, _clock.WallTime(_at));
    }

    [Theory]
    [InlineData(3600)]
    [InlineData(-3600)]
    [InlineData(1)]
    public void A_change_of_the_wall_clock_is_followed(int seconds)
    {
        _time.Wall += TimeSpan.FromSeconds(seconds);

        Assert.Equal(Noon.AddSeconds(10 + seconds), _clock.WallTime(_at));
        Assert.Equal(Noon.AddSeconds(10 + seconds), _clock.WallTime(_at));
    }

    private sealed class SteppableTimeProvider : TimeProvider
    {
        private long _ticks;

        public DateTimeOffset Wall { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public override DateTimeOffset GetUtcNow() => Wall;

        public void Advance(TimeSpan span)
        {
            _ticks += span.Ticks;
            Wall += span;
        }
    }
}
