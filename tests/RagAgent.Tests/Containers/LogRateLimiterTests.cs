using RagAgent.Containers.AppLogs;
using Xunit;

namespace RagAgent.Tests.Containers;

public class LogRateLimiterTests
{
    private const long Second = 1_000_000_000;
    private readonly LogRateLimiter _limiter = new();

    [Fact]
    public void A_burst_of_2000_lines_passes_and_then_200_lines_per_second()
    {
        Assert.Equal(2000, Admitted(from: Second, lines: 5000, over: 0));
        Assert.Equal(200, Admitted(from: 2 * Second, lines: 5000, over: 0));
        Assert.InRange(Admitted(from: 2 * Second, lines: 100_000, over: 10 * Second), 1990, 2001);
    }

    [Fact]
    public void Silence_restores_the_burst_and_no_more()
    {
        Admitted(from: Second, lines: 5000, over: 0);

        Assert.Equal(2000, Admitted(from: 3600 * Second, lines: 5000, over: 0));
    }

    [Fact]
    public void A_rate_below_the_limit_always_passes() =>
        Assert.Equal(20_000, Admitted(from: Second, lines: 20_000, over: 20_000 * Second / 190));

    [Fact]
    public void A_few_long_lines_are_limited_by_their_bytes()
    {
        Assert.Equal(4_000_000 / 8192, Admitted(from: Second, lines: 1000, over: 0, length: 8192));
        Assert.Equal(1_000_000 / 8192, Admitted(from: 2 * Second, lines: 1000, over: 0, length: 8192));
    }

    [Fact]
    public void Timestamps_that_go_back_restore_nothing()
    {
        Admitted(from: 100 * Second, lines: 5000, over: 0);

        Assert.Equal(0, Admitted(from: Second, lines: 100, over: 0));
    }

    private int Admitted(long from, int lines, long over, int length = 50) =>
        Enumerable.Range(0, lines).Count(i => _limiter.TryAcquire(from + (over / lines * i), length));
}
