using RagAgent.Common;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>How something from outside is asked for again after it failed, or turned out to be wrong.</summary>
public class FetchedTests
{
    private static readonly Backoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
    private static readonly Moment Now = Moment.Zero + TimeSpan.FromHours(1);

    [Fact]
    public void An_answer_that_is_outdated_is_asked_for_again_at_once_and_without_failures()
    {
        var fetched = Fetched<string>.Wanted.Begin(Now).Refresh();
        Assert.True(fetched.IsOutdated);
        Assert.Equal((true, 0), (fetched.Succeed("old").IsDue(Now), fetched.Succeed("old").Failures));
        Assert.Equal((true, 0), (Fail(fetched).IsDue(Now), Fail(fetched).Failures));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 3, 3)]
    [InlineData(4, 1, 5)]
    public void What_fails_elsewhere_counts_as_a_failure_of_the_try_that_is_under_way(int failures, int times, int expected)
    {
        var running = new Fetched<string>("old", Now, new FetchState.Running(failures, Now, IsOutdated: false, null));
        var failed = running.FailIndirectly(Sample.Refused, Now, Backoff, 0.5, times);
        Assert.Equal((expected, true, Sample.Refused), (failed.Failures, failed.IsOutdated, failed.Problem));
    }

    [Theory]
    [InlineData(0, 1, 1)]
    [InlineData(0, 3, 3)]
    [InlineData(4, 1, 5)]
    public void What_fails_elsewhere_makes_the_next_try_wait_the_longer_the_more_often_it_failed(int failures, int times, int expected)
    {
        FetchState state = failures == 0 ? new FetchState.Idle() : new FetchState.Waiting(failures, Sample.Refused, Now);
        var failed = new Fetched<string>("old", Now, state).FailIndirectly(Sample.Refused, Now, Backoff, 0.5, times);
        Assert.Equal(new FetchState.Waiting(expected, Sample.Refused, Now + Backoff.After(expected, 0.5)), failed.State);
    }

    [Fact]
    public void A_value_that_turned_out_to_be_wrong_is_asked_for_again_at_once()
    {
        var forgotten = new Fetched<string>("wrong", Now, new FetchState.Idle()).Forget();
        Assert.Equal((null, null, true, 0), (forgotten.Value, forgotten.ReadAt, forgotten.IsDue(Now), forgotten.Failures));
    }

    [Fact]
    public void A_value_that_turned_out_to_be_wrong_is_not_asked_for_twice_at_a_time()
    {
        var running = new FetchState.Running(0, Now, IsOutdated: false, null);
        Assert.Equal(running, new Fetched<string>("wrong", Now, running).Forget().State);
    }

    [Fact]
    public void A_failure_that_nobody_waits_for_changes_nothing() => Assert.Equal(Fetched<string>.Idle, Fail(Fetched<string>.Idle));

    private static Fetched<string> Fail(Fetched<string> fetched) => fetched.Fail(Sample.Refused, Now, Backoff, 0.5);
}
