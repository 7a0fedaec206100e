using System.Text;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What one connection of HTTP/2 may take. The times are shortened; Kestrel measures them itself, once a second.</summary>
public sealed class Http2LimitsTests : IAsyncDisposable
{
    private const int Refused = 7, Calm = 11;   // RFC 9113, 7: REFUSED_STREAM, ENHANCE_YOUR_CALM

    private readonly SupervisedApp _agent = new();
    private SecureVisit? _visit;

    public async ValueTask DisposeAsync()
    {
        if (_visit is not null)
        {
            await _visit.DisposeAsync();
        }
        await _agent.DisposeAsync();
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(0)]
    [InlineData(100)]   // a byte now and then would do as well
    public async Task An_answer_that_nobody_takes_is_not_kept_for_ever_though_the_connection_lives(int window)
    {
        await OpenAsync(new ConnectionLimits { StallTimeout = TimeSpan.FromSeconds(2) });
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop, window);

        await visitor.AskAsync(1, more: ("accept", "text/html"));

        Assert.NotNull(await visitor.UntilAsync(Frame.Headers));
        Assert.Null(await visitor.UntilAsync(Frame.Reset));   // it ends, all of it
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_answer_that_is_taken_late_arrives_whole()
    {
        await OpenAsync(new ConnectionLimits { StallTimeout = TimeSpan.FromSeconds(6) });
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop, window: 0);

        await visitor.AskAsync(1);
        await visitor.UntilAsync(Frame.Headers);
        await WaitAsync(TimeSpan.FromSeconds(3));
        await visitor.SendAsync(new Frame(Frame.Window, 0, 1, RawHttp2.Number(1000)));

        Assert.StartsWith("{\"status\":\"starting\"", Encoding.ASCII.GetString((await visitor.UntilAsync(Frame.Data))!.Payload), StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task So_many_requests_at_once_and_the_next_one_is_refused_alone()
    {
        var limits = new ConnectionLimits { MaxStreams = 5 };
        var asked = 0;
        await using var app = await HangingAsync(limits, () => Interlocked.Increment(ref asked));
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);

        for (var i = 0; i < limits.MaxStreams; i++)
        {
            await visitor.AskAsync((2 * i) + 1);
        }
        while (Volatile.Read(ref asked) < limits.MaxStreams)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
        await visitor.AskAsync((2 * limits.MaxStreams) + 1);

        var refused = (await visitor.UntilAsync(Frame.Reset))!;
        Assert.Equal(((2 * limits.MaxStreams) + 1, Refused, limits.MaxStreams), (refused.Stream, refused.Error, Volatile.Read(ref asked)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_asks_and_takes_it_back_again_and_again_is_sent_away_and_leaves_nothing_at_the_app()
    {
        var open = 0;
        await using var app = await HangingAsync(new ConnectionLimits(), () => Interlocked.Increment(ref open), () => Interlocked.Decrement(ref open));
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);
        var end = visitor.UntilAsync(Frame.GoAway);

        var tries = 0;
        try
        {
            while (!end.IsCompleted && tries < 100_000)
            {
                var stream = (2 * tries++) + 1;
                await visitor.AskAsync(stream);
                await visitor.SendAsync(new Frame(Frame.Reset, 0, stream, RawHttp2.Number(8)));
            }
        }
        catch (IOException)
        {
            // Closed while it was still asking.
        }

        Assert.True((await end)?.Error is null or Calm);
        Assert.InRange(tries, 1, 99_999);
        Assert.Equal(0, await _visit!.Visits.DrainAsync(Told.Container(app.Port), Timeout.InfiniteTimeSpan, Stop));
        while (Volatile.Read(ref open) > 0)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData(8000)]
    [InlineData(10)]
    public async Task Headers_have_a_size_in_however_many_frames_they_come(int piece)
    {
        await OpenAsync(new ConnectionLimits());
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);
        var end = visitor.UntilAsync(Frame.GoAway);

        var sent = 0;
        try
        {
            await visitor.SendAsync(new Frame(Frame.Headers, 0, 1, RawHttp2.Fields((":method", "GET"), (":scheme", "https"), (":authority", "rag.example.com"), (":path", "/"))));
            while (!end.IsCompleted && sent < 50_000_000)
            {
                var field = RawHttp2.Fields(("x", new string('a', piece)));
                await visitor.SendAsync(new Frame(Frame.Continuation, 0, 1, field));
                sent += field.Length;
            }
        }
        catch (IOException)
        {
            // Closed while it was still sending.
        }

        await end;
        Assert.InRange(sent, 1, 49_999_999);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Headers_that_come_a_piece_at_a_time_are_not_waited_for_for_ever()
    {
        await OpenAsync(new ConnectionLimits { HeadersTimeout = TimeSpan.FromSeconds(1) });
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);
        var end = visitor.UntilAsync(Frame.GoAway);

        try
        {
            await visitor.SendAsync(new Frame(Frame.Headers, 0, 1, RawHttp2.Fields((":method", "GET"), (":scheme", "https"), (":path", "/"))));
            while (!end.IsCompleted)
            {
                await WaitAsync(TimeSpan.FromMilliseconds(200));
                await visitor.SendAsync(new Frame(Frame.Continuation, 0, 1, RawHttp2.Fields(("x", ""))));
            }
        }
        catch (IOException)
        {
            // Closed.
        }

        await end;
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_upload_of_which_nothing_comes_is_cut_and_the_app_is_told()
    {
        var open = 0;
        await using var app = await HangingAsync(new ConnectionLimits { UploadGrace = TimeSpan.FromSeconds(2) }, () => Interlocked.Increment(ref open), () => Interlocked.Decrement(ref open));
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);

        await visitor.AskAsync(1, "/_stcore/upload_file/1", "POST", ends: false);

        await visitor.UntilAsync(Frame.GoAway);
        Assert.Equal(0, await _visit!.Visits.DrainAsync(Told.Container(app.Port), Timeout.InfiniteTimeSpan, Stop));
        while (Volatile.Read(ref open) > 0)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("x-a", "v\r\nX-Injected: 1")]
    [InlineData("x-a", "v\nX-Injected: 1")]
    [InlineData("x-a", "v\0w")]
    [InlineData(":path", "/a\r\nX-Injected: 1")]
    [InlineData(":path", "http://elsewhere/x")]
    [InlineData(":path", "x")]
    [InlineData(":authority", "a\r\nX-Injected: 1")]
    [InlineData(":authority", "a b")]
    [InlineData(":authority", "user@a")]
    [InlineData(":method", "GET /x HTTP/1.1\r\nHost: a\r\n\r\nGET")]
    [InlineData(":method", "G ET")]
    [InlineData("connection", "close")]
    [InlineData("content-length", "5")]
    public async Task What_would_be_something_else_in_HTTP_1_1_does_not_reach_the_app(string name, string value)
    {
        await using var app = new RawApp();
        await OpenAsync(new ConnectionLimits(), app.Port);
        await using var visitor = await RawHttp2.AtAsync(_visit!, Stop);
        var fields = new Dictionary<string, string> { [":method"] = "GET", [":scheme"] = "https", [":authority"] = "rag.example.com", [":path"] = "/x", [name] = value };

        await visitor.SendAsync(new Frame(Frame.Headers, Frame.EndHeaders | Frame.EndStream, 1, RawHttp2.Fields([.. fields.Select(field => (field.Key, field.Value))])));

        var answer = await visitor.ReadAsync();
        while (answer is { Type: Frame.Window })
        {
            answer = await visitor.ReadAsync();
        }
        Assert.True(answer is null or { Type: Frame.Reset or Frame.GoAway }, $"{answer}");
        Assert.Empty(app.Requests);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static Task WaitAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, Stop);

    private async Task OpenAsync(ConnectionLimits limits, int? app = null)
    {
        _visit = await SecureVisit.AtAsync(_agent, Stop, limits: limits);
        _agent.Board.Publish(app is { } port ? Told.Idle with { Front = Told.Serving(port) } : Told.Idle);
    }

    /// <summary>An app that answers nothing.</summary>
    private async Task<TestServer> HangingAsync(ConnectionLimits limits, Action? asked = null, Action? left = null)
    {
        var app = await TestServer.StartAsync(async call =>
        {
            asked?.Invoke();
            await TestServer.HangAsync(call);
            left?.Invoke();
        }, record: false);
        await OpenAsync(limits, app.Port);
        return app;
    }
}
