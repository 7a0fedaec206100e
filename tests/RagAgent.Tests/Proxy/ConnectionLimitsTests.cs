using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>
/// A connection that only occupies a place is closed; one that is merely slow is kept.
/// The limits are shortened. Kestrel measures them itself, once a second.
/// </summary>
public sealed class ConnectionLimitsTests : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(200);

    private readonly FakeTimeProvider _time = new();
    private readonly SupervisorFixture _supervisor;
    private FrontDoorFixture? _frontDoor;

    public ConnectionLimitsTests() => _supervisor = new SupervisorFixture(time: _time);

    public async ValueTask DisposeAsync()
    {
        if (_frontDoor is not null)
        {
            await _frontDoor.DisposeAsync();
        }
        await _supervisor.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_connection_without_a_first_byte_is_closed_at_the_timeout_and_not_before()
    {
        var limits = new ClientLimits();
        await StartAsync(limits);
        using var silent = await ConnectAsync();
        await WaitUntilServedAsync();   // so the connection before it was accepted too

        _time.Advance(limits.FirstByteTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(silent.Client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
        while (!silent.Client.Poll(TimeSpan.FromMilliseconds(10), SelectMode.SelectRead))
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));   // the wait began a little after the clock was first read
        }

        Assert.Equal("", await RawHttpClient.ExchangeAsync(silent, "", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Headers_sent_a_byte_at_a_time_time_out()
    {
        await StartAsync(new ClientLimits { HeadersTimeout = TimeSpan.FromSeconds(1) });

        var response = await SendSlowlyAsync("GET / HTTP/1.1\r\nHost: app\r\nX: ", "a");

        Assert.Equal("408", RawHttpClient.StatusCodes(response));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_idle_keep_alive_connection_is_closed()
    {
        await StartAsync(new ClientLimits { KeepAliveTimeout = TimeSpan.FromSeconds(1) });

        Assert.Equal(
            "503",
            RawHttpClient.StatusCodes(
                await RawHttpClient.ExchangeAsync(_frontDoor!.Port, "GET / HTTP/1.1\r\nHost: app\r\n\r\n", TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_below_the_minimum_rate_is_cut_and_the_app_notices()
    {
        await using var app = await StartUploadAsync(new ClientLimits { UploadGrace = TimeSpan.FromSeconds(2) });

        var response = await SendSlowlyAsync("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1000000\r\n\r\n", "a");

        Assert.Equal("408", RawHttpClient.StatusCodes(response));
        await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_slow_upload_that_pauses_for_a_while_arrives()
    {
        var limits = new ClientLimits { UploadGrace = TimeSpan.FromSeconds(2) };
        await using var app = await StartUploadAsync(limits);
        using var phone = await ConnectAsync();

        await SendAsync(phone, $"POST / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n{new string('a', 1000)}");
        // By then it is 250 bytes per second: the grace period is over, and the rate is sufficient.
        await WaitAsync(limits.UploadGrace + TimeSpan.FromSeconds(2));

        Assert.Contains(
            "\r\n2000\r\n", await RawHttpClient.ExchangeAsync(phone, new string('b', 1000), TestCancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_stalled_download_is_cut_and_a_paused_one_completes()
    {
        const int Size = 64_000_000;   // more than all buffers on the way
        var limits = new ClientLimits { StallTimeout = TimeSpan.FromSeconds(4) };
        await using var app = await TestServer.StartAsync(context => context.Response.Body.WriteAsync(new byte[Size]).AsTask());
        await StartAsync(limits, app.Port);
        using var paused = await ConnectAsync();
        await SendAsync(paused, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
        await WaitAsync(TimeSpan.FromSeconds(1.5));
        Assert.InRange((await RawHttpClient.ExchangeAsync(paused, "", TestCancellation)).Length, Size, int.MaxValue);

        using var stuck = await ConnectAsync();
        await SendAsync(stuck, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n");
        await WaitUntilServedAsync(app: true);

        Assert.Equal(0, await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation));
        Assert.InRange((await RawHttpClient.ExchangeAsync(stuck, "", TestCancellation)).Length, 0, Size - 1);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_silent_WebSocket_is_not_treated_as_a_slow_upload()
    {
        await using var app = await TestServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var received = await socket.ReceiveAsync(new byte[16], TestCancellation);
            await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, $"{received.Count}", TestCancellation);
        });
        var limits = new ClientLimits
        {
            UploadGrace = TimeSpan.FromSeconds(1.5),
            KeepAliveTimeout = TimeSpan.FromSeconds(1),
            HeadersTimeout = TimeSpan.FromSeconds(1),
            StallTimeout = TimeSpan.FromSeconds(1.5),
        };
        await StartAsync(limits, app.Port);
        using var session = new System.Net.WebSockets.ClientWebSocket();
        session.Options.Proxy = null;
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{_frontDoor!.Port}/"), TestCancellation);

        await WaitAsync(TimeSpan.FromSeconds(4));
        await session.SendAsync(new byte[5], System.Net.WebSockets.WebSocketMessageType.Binary, true, TestCancellation);
        await session.ReceiveAsync(new byte[16], TestCancellation);

        Assert.Equal("5", session.CloseStatusDescription);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("a line too long", "414")]
    [InlineData("too many headers", "431")]
    [InlineData("headers too large", "431")]
    [InlineData("at the limits", "503")]
    public async Task Request_line_and_headers_are_limited_in_size(string what, string status)
    {
        await StartAsync(new ClientLimits());
        var head = what switch
        {
            "a line too long" => $"GET /{new string('a', 8192)} HTTP/1.1\r\nHost: app\r\n",
            "too many headers" => "GET / HTTP/1.1\r\nHost: app\r\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"X{i}: y\r\n")),
            "headers too large" => $"GET / HTTP/1.1\r\nHost: app\r\nCookie: a={new string('a', 33_000)}\r\n",
            _ => $"GET /{new string('a', 8000)} HTTP/1.1\r\nHost: app\r\nCookie: a={new string('a', 32_000)}\r\n" +
                string.Concat(Enumerable.Range(0, 90).Select(i => $"X{i}: \r\n")),
        };

        Assert.Equal(
            status,
            RawHttpClient.StatusCodes(
                await RawHttpClient.ExchangeAsync(_frontDoor!.Port, head + "Connection: close\r\n\r\n", TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Connections_above_the_limit_are_closed_until_another_one_ends()
    {
        await StartAsync(new ClientLimits { MaxConnections = 2 });
        using var first = await AssertOpenAsync();
        using var second = await AssertOpenAsync();

        Assert.Equal(
            "",
            RawHttpClient.StatusCodes(
                await RawHttpClient.ExchangeAsync(
                    _frontDoor!.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation)));
        first.Dispose();

        const string request = "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";
        while (RawHttpClient.StatusCodes(await RawHttpClient.ExchangeAsync(_frontDoor.Port, request, TestCancellation)) != "503")
        {
            await WaitAsync(TimeSpan.FromMilliseconds(20));   // the server notices the closed connection a little later
        }
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Task WaitAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, TestCancellation);

    private async Task StartAsync(ClientLimits limits, int? app = null)
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation, limits: limits);
        _supervisor.Board.Publish(
            app is { } port ? Sample.StateWithoutContainer with { Front = Sample.Serving(port) } : Sample.StateWithoutContainer);
    }

    private async Task<TestServer> StartUploadAsync(ClientLimits limits)
    {
        var app = await TestServer.StartAsync(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"{(await body.ReadToEndAsync()).Length}");
        }, record: false);
        await StartAsync(limits, app.Port);
        return app;
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _frontDoor!.Port, TestCancellation);
        return client;
    }

    /// <summary>A connection that got an answer and is still open.</summary>
    private async Task<TcpClient> AssertOpenAsync()
    {
        var client = await ConnectAsync();
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: app\r\n\r\n");
        await client.GetStream().ReadExactlyAsync(new byte[16], TestCancellation);
        return client;
    }

    private async Task WaitUntilServedAsync(bool app = false)
    {
        using var response = await _frontDoor!.Client.GetAsync(
            new Uri("/", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestCancellation);
        Assert.Equal(app ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    private static async Task SendAsync(TcpClient client, string bytes) =>
        await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), TestCancellation);

    /// <summary>Sends the beginning, then a drop at a time until the server answers.</summary>
    private async Task<string> SendSlowlyAsync(string begin, string drop)
    {
        using var client = await ConnectAsync();
        await SendAsync(client, begin);
        while (!client.Client.Poll(TimeSpan.Zero, SelectMode.SelectRead))
        {
            await SendAsync(client, drop);
            await WaitAsync(Step);
        }
        return await RawHttpClient.ExchangeAsync(client, "", TestCancellation);
    }
}
