using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Configuration;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.StatusPage;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What counts as a person using the app, unlike what a forgotten tab does.</summary>
public sealed class ActivityTests : IAsyncLifetime
{
    private readonly SupervisorFixture _supervisor = new();
    private FrontDoorFixture _frontDoor = null!;
    private int _activityCount;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);
        _frontDoor.InFlight.Activity.Subscribe(() => Interlocked.Increment(ref _activityCount), TimeSpan.Zero);
    }

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _supervisor.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("", 200, 1)]
    [InlineData("any/page?q=/_stcore/health", 200, 1)]
    [InlineData("static/main.js", 304, 1)]
    [InlineData("wp-login.php", 404, 0)]
    [InlineData("", 401, 0)]
    [InlineData("", 500, 0)]
    [InlineData("_stcore/health", 200, 0)]
    [InlineData("below/a/path/_stcore/health", 200, 0)]
    [InlineData("_stcore/host-config", 200, 0)]
    [InlineData("healthz", 200, 0)]
    public async Task A_request_that_the_app_answers_is_activity_and_an_error_or_a_poll_is_not(string path, int status, int times)
    {
        await using var app = await ServeAsync(context =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        using var response = await _frontDoor.Client.GetAsync(path, TestCancellation);

        Assert.Equal(status, (int)response.StatusCode);
        await _frontDoor.DisposeAsync();   // waits until its requests have ended
        Assert.Equal(times, _activityCount);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_answered_with_the_status_page_is_no_activity()
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer);

        using var response = await _frontDoor.Client.GetAsync("", TestCancellation);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        await _frontDoor.DisposeAsync();
        Assert.Equal(0, _activityCount);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Messages_on_a_WebSocket_are_activity_pongs_are_not_and_no_byte_changes()
    {
        var app = await ServeAsync(EchoAsync, record: false);
        using var tab = new TcpClient();
        await tab.ConnectAsync(IPAddress.Loopback, _frontDoor.Port, TestCancellation);
        await using var wire = tab.GetStream();
        await wire.WriteAsync(
            Encoding.ASCII.GetBytes(
                "GET /_stcore/stream HTTP/1.1\r\nHost: rag\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
            TestCancellation);
        Assert.StartsWith("HTTP/1.1 101 ", await HeadAsync(wire), StringComparison.Ordinal);

        // A forgotten tab answers pings with pongs. The client's own ping is answered, so both have passed the proxy.
        await wire.WriteAsync((byte[])[.. Frame(10, ""), .. Frame(9, "are you there")], TestCancellation);
        Assert.Equal((10, "are you there"), await FrameAsync(wire));
        Assert.Equal(0, _activityCount);

        await wire.WriteAsync(Frame(1, "a question"), TestCancellation);
        Assert.Equal((1, "a question"), await FrameAsync(wire));
        Assert.Equal(1, _activityCount);

        // In two pieces, as a network may split it.
        var frame = Frame(2, new string('x', 300));
        await wire.WriteAsync(frame.AsMemory(..3), TestCancellation);
        await wire.FlushAsync(TestCancellation);
        await wire.WriteAsync(frame.AsMemory(3..), TestCancellation);
        Assert.Equal((2, new string('x', 300)), await FrameAsync(wire));
        Assert.InRange(_activityCount, 2, 3);

        var before = _activityCount;
        await wire.WriteAsync(Frame(8, ""), TestCancellation);
        Assert.Equal(8, (await FrameAsync(wire)).Opcode);
        Assert.Equal(before, _activityCount);
        await app.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Messages_on_a_WebSocket_over_HTTP_2_are_activity()
    {
        await using var app = await ServeAsync(EchoAsync, record: false);
        await using var frontDoor = await StartHttp2FrontDoorAsync();
        using var tab = new ClientWebSocket
        {
            Options =
            {
                HttpVersion = HttpVersion.Version20,
                HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
                KeepAliveInterval = TimeSpan.Zero,
            },
        };
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false });
        await tab.ConnectAsync(
            new Uri(frontDoor.Urls.Single().Replace("http", "ws", StringComparison.Ordinal) + "/_stcore/stream"),
            invoker,
            TestCancellation);
        Assert.Equal(0, _activityCount);

        await tab.SendAsync("a question"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestCancellation);
        var response = new byte[20];
        var got = await tab.ReceiveAsync(response.AsMemory(), TestCancellation);

        Assert.Equal("a question", Encoding.UTF8.GetString(response[..got.Count]));
        Assert.Equal(1, _activityCount);
    }

    [Fact]
    public void Activity_is_reported_at_once_and_then_at_most_once_per_interval()
    {
        var (time, reported) = (new FakeTimeProvider(), 0);
        var activity = new ActivityDetector(time);
        activity.Subscribe(() => reported++, TimeSpan.FromSeconds(1));

        for (var i = 0; i < 1000; i++)
        {
            activity.Track(new DefaultHttpContext())!.Dispose();
            time.Advance(TimeSpan.FromMilliseconds(1));
        }
        Assert.Equal(1, reported);

        activity.Track(new DefaultHttpContext())!.Dispose();
        Assert.Equal(2, reported);
    }

    [Fact]
    public void A_long_request_is_activity_for_as_long_as_it_runs()
    {
        var (time, reported) = (new FakeTimeProvider(), 0);
        var activity = new ActivityDetector(time);
        activity.Subscribe(() => reported++, TimeSpan.FromSeconds(1));
        var upload = activity.Track(new DefaultHttpContext())!;

        for (var i = 1; i <= 12; i++)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            Assert.Equal(i, reported);
        }

        upload.Dispose();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(12, reported);   // its end fell into the last interval
    }

    [Fact]
    public void Without_a_subscriber_requests_are_not_tracked()
    {
        var context = new DefaultHttpContext();
        var before = context.Features.Revision;

        Assert.Null(new ActivityDetector(TimeProvider.System).Track(context));
        Assert.Equal(before, context.Features.Revision);
    }

    private async Task<TestServer> ServeAsync(RequestDelegate response, bool record = true)
    {
        var app = await TestServer.StartAsync(response, record);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(app.Port) });
        return app;
    }

    /// <summary>Like the front door, but for HTTP/2 only.</summary>
    private async Task<WebApplication> StartHttp2FrontDoorAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, at => at.Protocols = HttpProtocols.Http2));
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        var unavailable = new UnavailableResponse(
            new AgentConfig { Image = "app" },
            _supervisor.Board,
            Sample.DefaultPolicy,
            Sample.FirstBoot(),
            _supervisor.Clock,
            NullLogger<UnavailableResponse>.Instance);
        builder.Services.AddLogging().AddSingleton(_frontDoor.InFlight).AddSingleton(_supervisor.Board).AddSingleton(unavailable)
            .AddSingleton(new HeldRequests(_supervisor.Board, Sample.DefaultPolicy, _supervisor.Clock, TimeSpan.Zero))
            .AddSingleton(new StatusPageEvents(_supervisor.Board, unavailable.ModelOf, _supervisor.Clock.Time))
            .AddSingleton<ProxyHandler>();
        builder.Services.Configure<Microsoft.Extensions.Hosting.HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(20));
        var frontDoor = builder.Build();
        var handler = frontDoor.Services.GetRequiredService<ProxyHandler>();
        frontDoor.Run(context => handler.HandleAsync(context, CancellationToken.None));
        await frontDoor.StartAsync(TestCancellation);
        return frontDoor;
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var session = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[70_000];
        while (await session.ReceiveAsync(buffer.AsMemory(), CancellationToken.None) is { MessageType: not WebSocketMessageType.Close } got)
        {
            await session.SendAsync(buffer.AsMemory(..got.Count), got.MessageType, got.EndOfMessage, CancellationToken.None);
        }
        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
    }

    /// <summary>Masked with zeros, which a client may do.</summary>
    private static byte[] Frame(byte opcode, string text) => text.Length < 126
        ? [(byte)(0x80 | opcode), (byte)(0x80 | text.Length), 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)]
        : [(byte)(0x80 | opcode), 0x80 | 126, (byte)(text.Length >> 8), (byte)text.Length, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(text)];

    private static async Task<string> HeadAsync(NetworkStream wire)
    {
        var head = new StringBuilder();
        var next = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await wire.ReadExactlyAsync(next, TestCancellation);
            head.Append((char)next[0]);
        }
        return head.ToString();
    }

    private static async Task<(int Opcode, string Text)> FrameAsync(NetworkStream wire)
    {
        var head = new byte[2];
        await wire.ReadExactlyAsync(head, TestCancellation);
        var length = head[1] & 0x7F;
        if (length == 126)
        {
            var more = new byte[2];
            await wire.ReadExactlyAsync(more, TestCancellation);
            length = (more[0] << 8) | more[1];
        }
        var text = new byte[length];
        await wire.ReadExactlyAsync(text, TestCancellation);
        return (head[0] & 0x0F, Encoding.UTF8.GetString(text));
    }
}
