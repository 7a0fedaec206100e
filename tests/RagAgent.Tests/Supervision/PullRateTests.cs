using RagAgent.Common;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>How fast a pull is, for people: smooth, and silent when there is nothing sensible to say.</summary>
public class PullRateTests
{
    private const long Size = 1_000_000_000;

    [Fact]
    public void A_steady_pull_has_its_speed_and_its_end_from_the_second_measurement_on()
    {
        Assert.Null(Pulled((0, 0)).BytesPerSecondAt(At(0)));

        var pace = Pulled((0, 0), (1, 10_000_000), (2, 20_000_000));

        Assert.Equal(10_000_000, pace.BytesPerSecondAt(At(2))!.Value, 1.0);
        Assert.Equal(98, pace.TimeLeft(new PullProgress(0.01, 20_000_000, Size), At(2))!.Value.TotalSeconds, 0.1);
    }

    [Fact]
    public void A_burst_changes_the_speed_partly_and_a_lasting_change_fully()
    {
        var steady = Pulled([.. Enumerable.Range(0, 20).Select(second => ((double)second, second * 10_000_000L))]);

        Assert.InRange(PullRate.Next(steady, At(20), steady.Bytes + 100_000_000).BytesPerSecondAt(At(20))!.Value, 15_000_000, 30_000_000);
        var slower = steady;
        for (var second = 20; second < 60; second++)
        {
            slower = PullRate.Next(slower, At(second), slower.Bytes + 1_000_000);
        }
        Assert.InRange(slower.BytesPerSecondAt(At(60))!.Value, 1_000_000, 1_200_000);
    }

    [Fact]
    public void Reports_in_quick_succession_are_measured_together() =>
        Assert.Equal(10_000_000, Pulled((0, 0), (0.1, 9_000_000), (0.2, 9_500_000), (1, 10_000_000)).BytesPerSecondAt(At(1))!.Value, 1.0);

    [Fact]
    public void A_stalled_pull_has_no_speed()
    {
        var pace = Pulled((0, 0), (1, 10_000_000));

        Assert.Null(pace.BytesPerSecondAt(At(17)));
        Assert.Null(pace.TimeLeft(new PullProgress(0.01, 10_000_000, Size), At(17)));
        Assert.Null(Pulled((0, 5), (1, 5)).BytesPerSecondAt(At(1)));
    }

    [Fact]
    public void A_finished_pull_and_an_endless_one_have_no_time_left() =>
        Assert.Equal((null, null), (
            Pulled((0, 0), (1, Size)).TimeLeft(new PullProgress(0.7, Size, Size), At(1)),
            Pulled((0, 0), (1, 1)).TimeLeft(new PullProgress(0.7, 1, Size), At(1))));

    [Fact]
    public void Half_a_second_is_enough_for_a_measurement_and_less_is_not()
    {
        Assert.Equal(10_000_000, Pulled((0, 0), (0.5, 5_000_000)).BytesPerSecondAt(At(0.5))!.Value, 1.0);
        Assert.Null(Pulled((0, 0), (0.499, 5_000_000)).BytesPerSecondAt(At(0.499)));
    }

    [Fact]
    public void The_speed_is_per_second_however_far_the_measurements_are_apart() =>
        Assert.Equal(10_000_000, Pulled((0, 0), (4, 40_000_000)).BytesPerSecondAt(At(4))!.Value, 1.0);

    [Fact]
    public void After_eight_seconds_a_change_of_speed_counts_for_63_percent() =>
        Assert.Equal(16_321_206, Pulled((0, 0), (1, 10_000_000), (9, 170_000_000)).BytesPerSecondAt(At(9))!.Value, 1.0);

    [Fact]
    public void A_pull_that_pauses_slows_down_and_is_not_taken_for_another_one() =>
        Assert.InRange(Pulled((0, 0), (1, 10_000_000), (2, 10_000_000)).BytesPerSecondAt(At(2))!.Value, 8_000_000, 9_000_000);

    [Fact]
    public void A_speed_is_known_until_fifteen_seconds_after_the_last_report()
    {
        var pace = Pulled((0, 0), (1, 10_000_000));

        Assert.NotNull(pace.BytesPerSecondAt(At(15.999)));
        Assert.Null(pace.BytesPerSecondAt(At(16)));
    }

    [Fact]
    public void Even_the_slowest_pull_has_a_speed_and_the_last_half_second_a_time_left()
    {
        Assert.Equal(1, Pulled((0, 0), (1, 1)).BytesPerSecondAt(At(1))!.Value, 0.01);
        Assert.Equal(
            0.5,
            Pulled((0, 0), (1, 10_000_000)).TimeLeft(new PullProgress(0.7, 10_000_000, 15_000_000), At(1))!.Value.TotalSeconds,
            0.01);
    }

    [Fact]
    public void A_time_left_of_a_day_or_more_is_not_shown()
    {
        var slow = Pulled((0, 0), (1, 1));

        Assert.Equal(TimeSpan.FromSeconds(86_399), slow.TimeLeft(new PullProgress(0, 1, 86_400), At(1)));
        Assert.Null(slow.TimeLeft(new PullProgress(0, 1, 86_401), At(1)));
    }

    [Fact]
    public void Fewer_bytes_than_before_are_another_pull() => Assert.Null(Pulled((0, 0), (1, 10_000_000), (2, 5)).BytesPerSecondAt(At(2)));

    private static Moment At(double seconds) => new(TimeSpan.FromSeconds(seconds));

    private static PullRate Pulled(params (double Second, long Bytes)[] told) =>
        told.Aggregate((PullRate?)null, (pace, next) => PullRate.Next(pace, At(next.Second), next.Bytes))!;
}
