using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
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
    private readonly ConcurrentQueue<int> _sessionCounts = new();
    private readonly InFlightRequests _inFlight;

    public InFlightRequestsTests()
    {
        _inFlight = new InFlightRequests(new AgentClock(_time), Sample.DefaultPolicy);
        _inFlight.SessionsChanged += open => _sessionCounts.Enqueue(open.Count);
    }

    [Fact]
    public async Task A_container_without_requests_drains_at_once()
    {
        using var elsewhere = _inFlight.Begin(Other, isSession: true);
        _inFlight.Begin(App, isSession: false).Dispose();

        var draining = _inFlight.DrainAsync(App, Timeout, TestCancellation);

        Assert.True(draining.IsCompletedSuccessfully);
        Assert.Equal(0, await draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_drain_completes_with_the_last_request()
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
    public async Task Requests_left_at_the_timeout_are_counted_and_not_waited_for()
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
    public async Task A_stopping_agent_does_not_wait_for_a_drain()
    {
        using var stays = _inFlight.Begin(App, isSession: false);
        using var stop = new CancellationTokenSource();

        var draining = _inFlight.DrainAsync(App, Timeout, stop.Token);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_container_can_be_drained_more_than_once()
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
    public void The_session_count_covers_all_containers_and_no_plain_requests()
    {
        var request = _inFlight.Begin(App, isSession: false);
        var first = _inFlight.Begin(App, isSession: true);
        var second = _inFlight.Begin(Other, isSession: true);
        request.Dispose();
        first.Dispose();
        first.Dispose();   // a second dispose has no effect
        second.Dispose();

        Assert.Equal([1, 2, 1, 0], _sessionCounts);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Concurrent_requests_are_all_counted_and_session_counts_are_reported_in_order()
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
        Assert.Equal((2000, 0), (_sessionCounts.Count, _sessionCounts.Last()));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Use_of_a_session_is_reported_at_once_then_at_most_once_per_interval_and_none_is_lost()
    {
        var reports = new ConcurrentQueue<OpenSessions>();
        using var request = _inFlight.Begin(App, isSession: true);
        request.Session!.Tracker.Accept(StreamlitHandshake());
        _inFlight.SessionsChanged += reports.Enqueue;
        var interval = Sample.DefaultPolicy.SessionReportInterval;

        _time.Advance(interval);
        Click(request);
        var first = Moment.Zero + interval;
        for (var i = 0; i < 10; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Click(request);
        }
        Assert.Equal([new OpenSessions(0, [first])], reports);
        _time.Advance(interval);

        await WaitForReportsAsync(reports, 2);
        Assert.Equal(new OpenSessions(0, [first + TimeSpan.FromMilliseconds(10)]), reports.Last());
    }

    [Fact]
    public void A_session_that_comes_into_use_is_reported_at_once()
    {
        var reports = new List<OpenSessions>();
        using var one = _inFlight.Begin(App, isSession: true);
        using var other = _inFlight.Begin(App, isSession: true);
        one.Session!.Tracker.Accept(StreamlitHandshake());
        other.Session!.Tracker.Accept(StreamlitHandshake());
        _time.Advance(Sample.DefaultPolicy.IdleAfter);
        var now = Moment.Zero + Sample.DefaultPolicy.IdleAfter;
        Click(one);
        _inFlight.SessionsChanged += reports.Add;

        Click(other);
        Click(other);

        Assert.Equal([new OpenSessions(0, [now, now])], reports);
    }

    [Fact]
    public void A_session_that_can_be_read_or_no_longer_is_reported_at_once()
    {
        var reports = new List<OpenSessions>();
        _inFlight.SessionsChanged += reports.Add;
        using var request = _inFlight.Begin(App, isSession: true);
        request.Session!.Tracker.Accept(StreamlitHandshake());
        request.Session.Tracker.ReadFromApp(WebSocketFrames.FromServer([1], WebSocketFrames.Text));

        Assert.Equal([new OpenSessions(1, []), new OpenSessions(0, [Moment.Zero]), new OpenSessions(1, [])], reports);
    }

    private static async Task WaitForReportsAsync(ConcurrentQueue<OpenSessions> reports, int count)
    {
        while (reports.Count < count)
        {
            await Task.Yield();
            TestCancellation.ThrowIfCancellationRequested();
        }
    }

    private static void Click(InFlightRequest session) =>
        session.Session!.Tracker.ReadFromClient(WebSocketFrames.FromClient([0x5A, 0x00]));

    private static DefaultHttpContext StreamlitHandshake()
    {
        var context = new DefaultHttpContext { Request = { Path = "/_stcore/stream" } };
        context.Response.Headers.SecWebSocketProtocol = "streamlit";
        return context;
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
