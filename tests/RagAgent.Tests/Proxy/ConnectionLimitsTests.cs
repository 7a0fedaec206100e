using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Who takes a place and gives nothing for it loses it; who is only slow keeps it. The times are shortened; Kestrel measures them itself, once a second.</summary>
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
    public async Task Who_says_nothing_is_sent_away_after_the_time_for_it_and_not_before()
    {
        var limits = new ConnectionLimits();
        await StartAsync(limits);
        using var silent = await ConnectAsync();
        await WaitUntilServedAsync();   // so the one before it was accepted as well

        _time.Advance(limits.FirstByteTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(silent.Client.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectRead));
        while (!silent.Client.Poll(TimeSpan.FromMilliseconds(10), SelectMode.SelectRead))
        {
            _time.Advance(TimeSpan.FromMilliseconds(1));   // it began to wait a little after the first look at the clock
        }

        Assert.Equal("", await RawHttpClient.ExchangeAsync(silent, "", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Headers_that_come_a_byte_at_a_time_are_not_waited_for_for_ever()
    {
        await StartAsync(new ConnectionLimits { HeadersTimeout = TimeSpan.FromSeconds(1) });

        var response = await SendSlowlyAsync("GET / HTTP/1.1\r\nHost: app\r\nX: ", "a");

        Assert.Equal("408", RawHttpClient.StatusCodes(response));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_connection_that_is_not_used_again_is_closed()
    {
        await StartAsync(new ConnectionLimits { KeepAliveTimeout = TimeSpan.FromSeconds(1) });

        Assert.Equal("503", RawHttpClient.StatusCodes(await RawHttpClient.ExchangeAsync(_frontDoor!.Port, "GET / HTTP/1.1\r\nHost: app\r\n\r\n", TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_of_a_byte_now_and_then_is_cut_and_the_app_is_told()
    {
        await using var app = await StartUploadAsync(new ConnectionLimits { UploadGrace = TimeSpan.FromSeconds(2) });

        var response = await SendSlowlyAsync("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 1000000\r\n\r\n", "a");

        Assert.Equal("408", RawHttpClient.StatusCodes(response));
        await _frontDoor!.InFlight.DrainAsync(Sample.Container(app.Port), Timeout.InfiniteTimeSpan, TestCancellation);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_slow_upload_that_stands_still_for_a_while_arrives()
    {
        var limits = new ConnectionLimits { UploadGrace = TimeSpan.FromSeconds(2) };
        await using var app = await StartUploadAsync(limits);
        using var phone = await ConnectAsync();

        await SendAsync(phone, $"POST / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nContent-Length: 2000\r\n\r\n{new string('a', 1000)}");
        await WaitAsync(limits.UploadGrace + TimeSpan.FromSeconds(2));   // 250 bytes a second by then: the grace is over, the rate is kept

        Assert.Contains("\r\n2000\r\n", await RawHttpClient.ExchangeAsync(phone, new string('b', 1000), TestCancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_takes_nothing_of_a_download_is_cut_and_who_pauses_for_a_while_gets_it_whole()
    {
        const int Size = 64_000_000;   // more than all buffers on the way
        var limits = new ConnectionLimits { StallTimeout = TimeSpan.FromSeconds(4) };
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
    public async Task A_session_on_which_nothing_is_said_is_no_slow_upload()
    {
        await using var app = await TestServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var heard = await socket.ReceiveAsync(new byte[16], TestCancellation);
            await socket.CloseAsync(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, $"{heard.Count}", TestCancellation);
        });
        var limits = new ConnectionLimits { UploadGrace = TimeSpan.FromSeconds(1.5), KeepAliveTimeout = TimeSpan.FromSeconds(1), HeadersTimeout = TimeSpan.FromSeconds(1), StallTimeout = TimeSpan.FromSeconds(1.5) };
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
    [InlineData("as much as is allowed", "503")]
    public async Task A_head_has_a_size(string what, string status)
    {
        await StartAsync(new ConnectionLimits());
        var head = what switch
        {
            "a line too long" => $"GET /{new string('a', 8192)} HTTP/1.1\r\nHost: app\r\n",
            "too many headers" => "GET / HTTP/1.1\r\nHost: app\r\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"X{i}: y\r\n")),
            "headers too large" => $"GET / HTTP/1.1\r\nHost: app\r\nCookie: a={new string('a', 33_000)}\r\n",
            _ => $"GET /{new string('a', 8000)} HTTP/1.1\r\nHost: app\r\nCookie: a={new string('a', 32_000)}\r\n" + string.Concat(Enumerable.Range(0, 90).Select(i => $"X{i}: \r\n")),
        };

        Assert.Equal(status, RawHttpClient.StatusCodes(await RawHttpClient.ExchangeAsync(_frontDoor!.Port, head + "Connection: close\r\n\r\n", TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task No_more_come_in_than_there_is_room_for_and_a_place_that_is_given_back_is_anothers()
    {
        await StartAsync(new ConnectionLimits { MaxConnections = 2 });
        using var first = await AssertOpenAsync();
        using var second = await AssertOpenAsync();

        Assert.Equal("", RawHttpClient.StatusCodes(await RawHttpClient.ExchangeAsync(_frontDoor!.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation)));
        first.Dispose();

        while (RawHttpClient.StatusCodes(await RawHttpClient.ExchangeAsync(_frontDoor.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation)) != "503")
        {
            await WaitAsync(TimeSpan.FromMilliseconds(20));   // that it has gone is noticed a little later
        }
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Task WaitAsync(TimeSpan span) => Task.Delay(span, TimeProvider.System, TestCancellation);

    private async Task StartAsync(ConnectionLimits limits, int? app = null)
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation, limits: limits);
        _supervisor.Board.Publish(app is { } port ? Sample.StateWithoutContainer with { Front = Sample.Serving(port) } : Sample.StateWithoutContainer);
    }

    private async Task<TestServer> StartUploadAsync(ConnectionLimits limits)
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

    /// <summary>One that was answered and is open still.</summary>
    private async Task<TcpClient> AssertOpenAsync()
    {
        var client = await ConnectAsync();
        await SendAsync(client, "GET / HTTP/1.1\r\nHost: app\r\n\r\n");
        await client.GetStream().ReadExactlyAsync(new byte[16], TestCancellation);
        return client;
    }

    private async Task WaitUntilServedAsync(bool app = false)
    {
        using var response = await _frontDoor!.Client.GetAsync(new Uri("/", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestCancellation);
        Assert.Equal(app ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    private static async Task SendAsync(TcpClient client, string bytes) => await client.GetStream().WriteAsync(Encoding.Latin1.GetBytes(bytes), TestCancellation);

    /// <summary>Begins, and goes on a drop at a time until the other side has had enough.</summary>
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
