using System.Text;
using Microsoft.Extensions.Logging;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What one HTTP/2 connection may use. The limits are shortened. Kestrel measures them itself, once a second.</summary>
public sealed class Http2LimitsTests : IAsyncDisposable
{
    private const int RefusedStream = 7, EnhanceYourCalm = 11;   // RFC 9113, 7: REFUSED_STREAM, ENHANCE_YOUR_CALM

    private readonly SupervisorFixture _supervisor = new();
    private readonly List<string> _errors = [];
    private readonly LoggerFactory _loggers;
    private HttpsFrontDoorFixture? _frontDoor;

    public Http2LimitsTests() => _loggers = new LoggerFactory([new ListLoggerProvider(_errors, LogLevel.Error)]);

    public async ValueTask DisposeAsync()
    {
        if (_frontDoor is not null)
        {
            await _frontDoor.DisposeAsync();
        }
        await _supervisor.DisposeAsync();
        _loggers.Dispose();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(0)]
    [InlineData(100)]   // an occasional byte does not help
    public async Task An_unread_response_ends_the_connection_even_if_pings_are_answered(int window)
    {
        await StartAsync(new ClientLimits { StallTimeout = TimeSpan.FromSeconds(2) });
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation, window);

        await client.RequestAsync(1, more: ("accept", "text/html"));

        Assert.NotNull(await client.ReadUntilAsync(Http2Frame.Headers));
        Assert.Null(await client.ReadUntilAsync(Http2Frame.Reset));   // the whole connection ends
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_response_that_is_read_late_arrives_whole()
    {
        await StartAsync(new ClientLimits { StallTimeout = TimeSpan.FromSeconds(6) });
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation, window: 0);

        await client.RequestAsync(1);
        await client.ReadUntilAsync(Http2Frame.Headers);
        await WaitAsync(TimeSpan.FromSeconds(3));
        await client.SendAsync(new Http2Frame(Http2Frame.WindowUpdate, 0, 1, RawHttp2Client.BigEndian(1000)));

        Assert.StartsWith(
            "{\"status\":\"starting\"",
            Encoding.ASCII.GetString((await client.ReadUntilAsync(Http2Frame.Data))!.Payload),
            StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_above_the_stream_limit_is_refused_alone()
    {
        var limits = new ClientLimits { MaxStreams = 5 };
        var asked = 0;
        await using var app = await StartHangingAsync(limits, () => Interlocked.Increment(ref asked));
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);

        for (var i = 0; i < limits.MaxStreams; i++)
        {
            await client.RequestAsync((2 * i) + 1);
        }
        while (Volatile.Read(ref asked) < limits.MaxStreams)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
        await client.RequestAsync((2 * limits.MaxStreams) + 1);

        var refused = (await client.ReadUntilAsync(Http2Frame.Reset))!;
        Assert.Equal(
            ((2 * limits.MaxStreams) + 1, RefusedStream, limits.MaxStreams),
            (refused.Stream, refused.ErrorCode, Volatile.Read(ref asked)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_rapid_reset_attack_is_disconnected_and_leaves_no_request_at_the_app()
    {
        var limits = new ClientLimits();
        var open = 0;
        await using var app = await StartHangingAsync(
            limits, () => Interlocked.Increment(ref open), () => Interlocked.Decrement(ref open));
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = client.ReadUntilAsync(Http2Frame.GoAway);
        await client.RequestAsync(1);
        while (Volatile.Read(ref open) < 1)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));   // so that there is something that could stay
        }

        var tries = 0;
        try
        {
            while (!end.IsCompleted && tries < 100_000)
            {
                var stream = (2 * ++tries) + 1;
                await client.RequestAsync(stream);
                await client.SendAsync(new Http2Frame(Http2Frame.Reset, 0, stream, RawHttp2Client.BigEndian(8)));
            }
        }
        catch (IOException)
        {
            // Closed during the requests.
        }

        Assert.True((await end)?.ErrorCode is null or EnhanceYourCalm);
        Assert.InRange(tries, limits.Resets + 1, 99_999);
        Assert.Equal(0, await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation));
        while (Volatile.Read(ref open) > 0)
        {
            await WaitAsync(TimeSpan.FromMilliseconds(5));
        }
        Assert.Empty(_errors);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_client_that_cancels_as_many_requests_as_it_may_still_gets_its_answer()
    {
        var limits = new ClientLimits();
        await StartAsync(limits);
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);

        var stream = 1;
        for (; stream < 2 * limits.Resets; stream += 2)
        {
            await client.RequestAsync(stream);
            await client.SendAsync(new Http2Frame(Http2Frame.Reset, 0, stream, RawHttp2Client.BigEndian(8)));
        }
        await client.RequestAsync(stream);

        var response = await client.ReadUntilAsync(Http2Frame.Headers);
        while (response is { } earlier && earlier.Stream != stream)
        {
            response = await client.ReadUntilAsync(Http2Frame.Headers);   // to a request that was answered before it was cancelled
        }
        Assert.NotNull(response);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(8000)]
    [InlineData(10)]
    public async Task Headers_are_limited_in_size_however_many_frames_they_use(int piece)
    {
        await StartAsync(new ClientLimits());
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = client.ReadUntilAsync(Http2Frame.GoAway);

        var sent = 0;
        try
        {
            await client.SendAsync(
                new Http2Frame(
                    Http2Frame.Headers,
                    0,
                    1,
                    RawHttp2Client.Fields((":method", "GET"), (":scheme", "https"), (":authority", "rag.example.com"), (":path", "/"))));
            while (!end.IsCompleted && sent < 50_000_000)
            {
                var field = RawHttp2Client.Fields(("x", new string('a', piece)));
                await client.SendAsync(new Http2Frame(Http2Frame.Continuation, 0, 1, field));
                sent += field.Length;
            }
        }
        catch (IOException)
        {
            // Closed while sending.
        }

        await end;
        Assert.InRange(sent, 1, 49_999_999);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Headers_sent_a_frame_at_a_time_time_out()
    {
        await StartAsync(new ClientLimits { HeadersTimeout = TimeSpan.FromSeconds(1) });
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var end = client.ReadUntilAsync(Http2Frame.GoAway);

        try
        {
            await client.SendAsync(
                new Http2Frame(Http2Frame.Headers, 0, 1, RawHttp2Client.Fields((":method", "GET"), (":scheme", "https"), (":path", "/"))));
            while (!end.IsCompleted)
            {
                await WaitAsync(TimeSpan.FromMilliseconds(200));
                await client.SendAsync(new Http2Frame(Http2Frame.Continuation, 0, 1, RawHttp2Client.Fields(("x", ""))));
            }
        }
        catch (IOException)
        {
            // Closed.
        }

        await end;
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_without_data_is_cut_and_the_app_notices()
    {
        var open = 0;
        await using var app = await StartHangingAsync(
            new ClientLimits { UploadGrace = TimeSpan.FromSeconds(2) },
            () => Interlocked.Increment(ref open),
            () => Interlocked.Decrement(ref open));
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);

        await client.RequestAsync(1, "/_stcore/upload_file/1", "POST", ends: false);

        await client.ReadUntilAsync(Http2Frame.GoAway);
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
    public async Task A_request_that_HTTP_1_1_would_read_differently_does_not_reach_the_app(string name, string value)
    {
        await using var app = new RawHttpServer();
        await StartAsync(new ClientLimits(), app.Port);
        await using var client = await RawHttp2Client.ConnectAsync(_frontDoor!, TestCancellation);
        var fields = new Dictionary<string, string>
        {
            [":method"] = "GET",
            [":scheme"] = "https",
            [":authority"] = "rag.example.com",
            [":path"] = "/x",
            [name] = value,
        };

        await client.SendAsync(
            new Http2Frame(
                Http2Frame.Headers,
                Http2Frame.EndHeaders | Http2Frame.EndStream,
                1,
                RawHttp2Client.Fields([.. fields.Select(field => (field.Key, field.Value))])));

        var response = await client.ReadAsync();
        while (response is { Type: Http2Frame.WindowUpdate })
        {
            response = await client.ReadAsync();
        }
        Assert.True(response is null or { Type: Http2Frame.Reset or Http2Frame.GoAway }, $"{response}");
        Assert.Empty(app.Requests);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Task WaitAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, TestCancellation);

    private async Task StartAsync(ClientLimits limits, int? app = null)
    {
        _frontDoor = await HttpsFrontDoorFixture.StartAsync(_supervisor, TestCancellation, limits: limits, loggers: _loggers);
        _supervisor.Board.Publish(
            app is { } port ? Sample.StateWithoutContainer with { Front = Sample.Serving(port) } : Sample.StateWithoutContainer);
    }

    /// <summary>An app that never answers.</summary>
    private async Task<TestServer> StartHangingAsync(ClientLimits limits, Action? asked = null, Action? left = null)
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
