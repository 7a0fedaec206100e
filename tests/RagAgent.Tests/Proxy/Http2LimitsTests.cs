using System.Text;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What one connection of HTTP/2 may take. The times are shortened; Kestrel measures them itself, once a second.</summary>
public sealed class Http2LimitsTests : IAsyncDisposable
{
    private const int RefusedStream = 7, EnhanceYourCalm = 11;   // RFC 9113, 7: REFUSED_STREAM, ENHANCE_YOUR_CALM

    private readonly SupervisorFixture _supervisor = new();
    private HttpsFrontDoorFixture? _frontDoor;

    public async ValueTask DisposeAsync()
    {
        if (_frontDoor is not null)
        {
            await _frontDoor.DisposeAsync();
        }
        await _supervisor.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(0)]
    [InlineData(100)]   // a byte now and then would do as well
    public async Task An_answer_that_nobody_takes_is_not_kept_for_ever_though_the_connection_lives(int window)
    {
        await StartAsync(new ConnectionLimits { StallTimeout = TimeSpan.FromSeconds(2) });
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation, window);

        await visitor.RequestAsync(1, more: ("accept", "text/html"));

        Assert.NotNull(await visitor.ReadUntilAsync(Http2Frame.Headers));
        Assert.Null(await visitor.ReadUntilAsync(Http2Frame.Reset));   // it ends, all of it
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_answer_that_is_taken_late_arrives_whole()
    {
        await StartAsync(new ConnectionLimits { StallTimeout = TimeSpan.FromSeconds(6) });
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation, window: 0);

        await visitor.RequestAsync(1);
        await visitor.ReadUntilAsync(Http2Frame.Headers);
        await WaitAsync(TimeSpan.FromSeconds(3));
        await visitor.SendAsync(new Http2Frame(Http2Frame.WindowUpdate, 0, 1, RawHttp2Client.BigEndian(1000)));

        Assert.StartsWith("{\"status\":\"starting\"", Encoding.ASCII.GetString((await visitor.ReadUntilAsync(Http2Frame.Data))!.Payload), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task So_many_requests_at_once_and_the_next_one_is_refused_alone()
    {
        var limits = new ConnectionLimits { MaxStreams = 5 };
        var asked = 0;
        await using var app = await StartHangingAsync(limits, () => Interlocked.Increment(ref asked));
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);

        for (var i = 0; i < limits.MaxStreams; i++)
        {
            await visitor.RequestAsync((2 * i) + 1);
        }
        while (Volatile.Read(ref asked) < limits.MaxStreams)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
        await visitor.RequestAsync((2 * limits.MaxStreams) + 1);

        var refused = (await visitor.ReadUntilAsync(Http2Frame.Reset))!;
        Assert.Equal(((2 * limits.MaxStreams) + 1, RefusedStream, limits.MaxStreams), (refused.Stream, refused.ErrorCode, Volatile.Read(ref asked)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_asks_and_takes_it_back_again_and_again_is_sent_away_and_leaves_nothing_at_the_app()
    {
        var open = 0;
        await using var app = await StartHangingAsync(new ConnectionLimits(), () => Interlocked.Increment(ref open), () => Interlocked.Decrement(ref open));
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = visitor.ReadUntilAsync(Http2Frame.GoAway);

        var tries = 0;
        try
        {
            while (!end.IsCompleted && tries < 100_000)
            {
                var stream = (2 * tries++) + 1;
                await visitor.RequestAsync(stream);
                await visitor.SendAsync(new Http2Frame(Http2Frame.Reset, 0, stream, RawHttp2Client.BigEndian(8)));
            }
        }
        catch (IOException)
        {
            // Closed while it was still asking.
        }

        Assert.True((await end)?.ErrorCode is null or EnhanceYourCalm);
        Assert.InRange(tries, 1, 99_999);
        Assert.Equal(0, await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation));
        while (Volatile.Read(ref open) > 0)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(8000)]
    [InlineData(10)]
    public async Task Headers_have_a_size_in_however_many_frames_they_come(int piece)
    {
        await StartAsync(new ConnectionLimits());
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = visitor.ReadUntilAsync(Http2Frame.GoAway);

        var sent = 0;
        try
        {
            await visitor.SendAsync(new Http2Frame(Http2Frame.Headers, 0, 1, RawHttp2Client.Fields((":method", "GET"), (":scheme", "https"), (":authority", "rag.example.com"), (":path", "/"))));
            while (!end.IsCompleted && sent < 50_000_000)
            {
                var field = RawHttp2Client.Fields(("x", new string('a', piece)));
                await visitor.SendAsync(new Http2Frame(Http2Frame.Continuation, 0, 1, field));
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

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Headers_that_come_a_piece_at_a_time_are_not_waited_for_for_ever()
    {
        await StartAsync(new ConnectionLimits { HeadersTimeout = TimeSpan.FromSeconds(1) });
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = visitor.ReadUntilAsync(Http2Frame.GoAway);

        try
        {
            await visitor.SendAsync(new Http2Frame(Http2Frame.Headers, 0, 1, RawHttp2Client.Fields((":method", "GET"), (":scheme", "https"), (":path", "/"))));
            while (!end.IsCompleted)
            {
                await WaitAsync(TimeSpan.FromMilliseconds(200));
                await visitor.SendAsync(new Http2Frame(Http2Frame.Continuation, 0, 1, RawHttp2Client.Fields(("x", ""))));
            }
        }
        catch (IOException)
        {
            // Closed.
        }

        await end;
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_of_which_nothing_comes_is_cut_and_the_app_is_told()
    {
        var open = 0;
        await using var app = await StartHangingAsync(new ConnectionLimits { UploadGrace = TimeSpan.FromSeconds(2) }, () => Interlocked.Increment(ref open), () => Interlocked.Decrement(ref open));
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);

        await visitor.RequestAsync(1, "/_stcore/upload_file/1", "POST", ends: false);

        await visitor.ReadUntilAsync(Http2Frame.GoAway);
        Assert.Equal(0, await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation));
        while (Volatile.Read(ref open) > 0)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
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
        await using var app = new RawHttpServer();
        await StartAsync(new ConnectionLimits(), app.Port);
        await using var visitor = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var fields = new Dictionary<string, string> { [":method"] = "GET", [":scheme"] = "https", [":authority"] = "rag.example.com", [":path"] = "/x", [name] = value };

        await visitor.SendAsync(new Http2Frame(Http2Frame.Headers, Http2Frame.EndHeaders | Http2Frame.EndStream, 1, RawHttp2Client.Fields([.. fields.Select(field => (field.Key, field.Value))])));

        var response = await visitor.ReadAsync();
        while (response is { Type: Http2Frame.WindowUpdate })
        {
            response = await visitor.ReadAsync();
        }
        Assert.True(response is null or { Type: Http2Frame.Reset or Http2Frame.GoAway }, $"{response}");
        Assert.Empty(app.Requests);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Task WaitAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, TestCancellation);

    private async Task StartAsync(ConnectionLimits limits, int? app = null)
    {
        _frontDoor = await HttpsFrontDoorFixture.StartAsync(_supervisor, TestCancellation, limits: limits);
        _supervisor.Board.Publish(app is { } port ? Sample.StateWithoutContainer with { Front = Sample.Serving(port) } : Sample.StateWithoutContainer);
    }

    /// <summary>An app that answers nothing.</summary>
    private async Task<TestServer> StartHangingAsync(ConnectionLimits limits, Action? asked = null, Action? left = null)
    {
        var app = await TestServer.StartAsync(async context =>
        {
            asked?.Invoke();
            await TestServer.HangAsync(context);
            left?.Invoke();
        }, record: false);
        await StartAsync(limits, app.Port);
        return app;
    }
}
