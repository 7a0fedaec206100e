using CsCheck;
using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Supervision;

public class BackoffTests
{
    private static readonly Backoff OneToHundred = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(100));

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 4)]
    [InlineData(7, 64)]
    [InlineData(8, 100)]
    [InlineData(1000, 100)]
    public void A_delay_doubles_from_the_first_to_the_longest(int failures, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), OneToHundred.After(failures, jitter: 0.5));

    [Fact]
    public void Jitter_spreads_a_delay_by_a_fifth_in_both_directions()
    {
        Assert.Equal(TimeSpan.FromSeconds(3.2), OneToHundred.After(3, jitter: 0));
        Assert.Equal(TimeSpan.FromSeconds(4.8), OneToHundred.After(3, jitter: 1));
    }

    [Fact]
    public void Jitter_never_makes_a_delay_longer_than_the_longest() =>
        Assert.Equal(TimeSpan.FromSeconds(100), OneToHundred.After(20, jitter: 1));

    [Fact]
    public void Jitter_also_shortens_the_longest_delay() =>
        Assert.Equal(TimeSpan.FromSeconds(80), OneToHundred.After(20, jitter: 0));

    [Fact]
    public void A_first_delay_of_zero_stays_zero_after_any_number_of_failures() =>
        Assert.Equal(TimeSpan.Zero, new Backoff(TimeSpan.Zero, TimeSpan.FromSeconds(100)).After(5_000, jitter: 0.5));

    [Fact]
    public void After_any_number_of_failures_the_delay_is_bounded_and_not_zero() =>
        Gen.Select(Gen.Int, Gen.Double[0, 1], Gen.Int[1, 10_000], Gen.Int[0, 1_000_000]).Sample((failures, luck, first, more) =>
        {
            var backoff = new Backoff(TimeSpan.FromMilliseconds(first), TimeSpan.FromMilliseconds(first + more));
            var delay = backoff.After(failures, luck);
            return delay >= backoff.First * 0.79 && delay <= backoff.Max;
        });
}
