using System.Collections.Concurrent;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Forwarding;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

public class InFlightRequestsTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);
    private static readonly Container App = Sample.Container();
    private static readonly Container Other = App with { Id = "fedcba9876543210" };

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<int> _activityCount = new();
    private readonly InFlightRequests _inFlight;

    public InFlightRequestsTests()
    {
        _inFlight = new InFlightRequests(_time);
        _inFlight.SessionsChanged += _activityCount.Enqueue;
    }

    [Fact]
    public async Task A_container_that_nobody_visits_is_drained_at_once()
    {
        using var elsewhere = _inFlight.Begin(Other, isSession: true);
        _inFlight.Begin(App, isSession: false).Dispose();

        var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);

        Assert.True(draining.IsCompletedSuccessfully);
        Assert.Equal(0, await draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task It_is_drained_when_the_last_one_has_left()
    {
        var request = _inFlight.Begin(App, isSession: false);
        var session = _inFlight.Begin(App, isSession: true);

        var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);
        session.Dispose();
        Assert.False(draining.IsCompleted);
        request.Dispose();

        Assert.Equal(0, await draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_stays_too_long_is_counted_and_not_waited_for()
    {
        using var first = _inFlight.Begin(App, isSession: false);
        using var second = _inFlight.Begin(App, isSession: true);

        var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);
        _time.Advance(Timeout - TimeSpan.FromMilliseconds(1));
        Assert.False(draining.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(2, await draining);
        Assert.Equal(2, await _inFlight.DrainAsync(App, TimeSpan.Zero, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_agent_that_ends_does_not_wait()
    {
        using var stays = _inFlight.Begin(App, isSession: false);
        using var stop = new CancellationTokenSource();

        var draining = _inFlight.DrainAsync(App, Timeout, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task It_can_be_drained_more_than_once()
    {
        for (var i = 0; i < 3; i++)
        {
            var request = _inFlight.Begin(App, isSession: false);
            var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);
            Assert.False(draining.IsCompleted);
            request.Dispose();
            Assert.Equal(0, await draining);
        }
    }

    [Fact]
    public void Only_sessions_are_told_and_over_all_containers()
    {
        var request = _inFlight.Begin(App, isSession: false);
        var first = _inFlight.Begin(App, isSession: true);
        var second = _inFlight.Begin(Other, isSession: true);
        request.Dispose();
        first.Dispose();
        first.Dispose();   // an end is an end
        second.Dispose();

        Assert.Equal([1, 2, 1, 0], _activityCount);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task However_many_come_and_go_at_once_none_is_lost_and_the_last_number_told_is_the_last_one()
    {
        using var host = _inFlight.Begin(App, isSession: false);
        var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);

        await Parallel.ForAsync(0, 2000, TestCancellation, (i, _) =>
        {
            _inFlight.Begin(i % 3 == 0 ? Other : App, isSession: i % 2 == 0).Dispose();
            return ValueTask.CompletedTask;
        });

        Assert.False(draining.IsCompleted);
        host.Dispose();
        Assert.Equal(0, await draining);
        Assert.Equal(0, await _inFlight.DrainAsync(Other, TimeSpan.Zero, TestCancellation));
        Assert.Equal((2000, 0), (_activityCount.Count, _activityCount.Last()));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
