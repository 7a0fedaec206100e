using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.StatusPage;
using RagAgent.Supervision.Runtime;
using RagAgent.Tests.Support;
using Xunit;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Tests.Proxy;

/// <summary>Requests during a swap from one container to another.</summary>
public sealed class ProxySwapTests : IAsyncLifetime
{
    private readonly StateFeed _board = new();
    private readonly InFlightRequests _inFlight = new(new AgentClock(TimeProvider.System), Sample.DefaultPolicy);
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private HookedForwarder _forwarder = null!;
    private ProxyHandler _handler = null!;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _forwarder = new HookedForwarder(_services.GetRequiredService<IHttpForwarder>());
        var clock = new AgentClock(TimeProvider.System);
        var unavailable = new UnavailableResponse(
            new AgentConfig { Image = "app" }, _board, Sample.DefaultPolicy, Sample.FirstBoot(), clock, NullLogger.Instance);
        _handler = new ProxyHandler(
            _forwarder,
            _inFlight,
            _board,
            new HeldRequests(_board, Sample.DefaultPolicy, clock, TimeSpan.FromSeconds(30)),
            new StatusPageEvents(_board, unavailable.ModelOf, clock.Time),
            unavailable,
            clock.Time);
        _server = await TestServer.StartAsync(context => _handler.HandleAsync(context, CancellationToken.None), record: false);
        _client.BaseAddress = _server.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _handler.Dispose();
        await _services.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_swap_drains_the_request_in_flight_and_sends_later_ones_to_the_new_container()
    {
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var before = await TestServer.StartAsync(async context =>
        {
            asked.SetResult();
            await goOn.Task;
            await context.Response.WriteAsync("before");
        });
        await using var after = await TestServer.StartAsync(context => context.Response.WriteAsync("after"));
        Serve("a", before.Port);

        var first = _client.GetStringAsync(new Uri("/", UriKind.Relative), TestCancellation);
        await asked.Task.WaitAsync(TestCancellation);
        Serve("b", after.Port);
        var draining = DrainAsync("a");
        Assert.Equal("after", await _client.GetStringAsync(new Uri("/", UriKind.Relative), TestCancellation));
        Assert.False(draining.IsCompleted);
        goOn.SetResult();

        Assert.Equal("before", await first);
        Assert.Equal(0, await draining);
        Assert.Equal(0, await DrainAsync("b"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_drain_waits_for_an_open_session()
    {
        await using var app = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", app.Port);
        using var session = await ConnectAsync();

        var draining = DrainAsync("a");
        Assert.False(draining.IsCompleted);
        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);

        Assert.Equal(0, await draining);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Finishing_waits_for_requests_and_not_for_sessions()
    {
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await TestServer.StartAsync(async context =>
        {
            if (context.WebSockets.IsWebSocketRequest)
            {
                await UntilClosedAsync(context);
                return;
            }
            asked.SetResult();
            await goOn.Task;
        });
        Serve("a", app.Port);
        using var session = await ConnectAsync();
        Assert.Equal(0, await FinishAsync("a"));

        var request = _client.GetStringAsync(new Uri("/", UriKind.Relative), TestCancellation);
        await asked.Task.WaitAsync(TestCancellation);
        Assert.Equal(1, await _inFlight.FinishAsync(Sample.Container() with { Id = "a" }, TimeSpan.FromMilliseconds(1), TestCancellation));
        var finishing = FinishAsync("a");
        Assert.False(finishing.IsCompleted);
        goOn.SetResult();

        await request;
        Assert.Equal(0, await finishing);
        Assert.Equal(WebSocketState.Open, session.State);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_counted_during_a_swap_goes_to_the_new_container()
    {
        await using var before = await TestServer.StartAsync(context => context.Response.WriteAsync("before"));
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", before.Port);
        // The session count is reported in the middle of the counting.
        var once = 0;
        _inFlight.SessionsChanged += _ =>
        {
            if (once++ == 0)
            {
                Serve("b", after.Port);
            }
        };

        using var session = await ConnectAsync();

        Assert.Empty(before.Requests);
        Assert.Single(after.Requests);
        Assert.Equal(0, await DrainAsync("a"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_refused_by_the_old_container_goes_to_the_new_one()
    {
        await using var after = await TestServer.StartAsync(context => context.Response.WriteAsync("after"));
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => Serve("b", after.Port);

        using var response = await _client.GetAsync(new Uri("page?q", UriKind.Relative), TestCancellation);

        Assert.Equal((200, "after"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
        Assert.False(response.Headers.Contains("Refresh"));
        Assert.Equal("GET /page?q", Assert.Single(after.Requests).ToString());
        Assert.Equal((0, 0), (await DrainAsync("a"), await DrainAsync("b")));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_refused_by_the_old_container_arrives_whole_at_the_new_one()
    {
        await using var after = await TestServer.StartAsync(_ => Task.CompletedTask);
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => Serve("b", after.Port);
        var upload = new string('x', 200_000);

        using var response = await _client.PostAsync(new Uri("/", UriKind.Relative), new StringContent(upload), TestCancellation);

        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal(upload, Assert.Single(after.Requests).Body);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_WebSocket_refused_by_the_old_container_goes_to_the_new_one()
    {
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => Serve("b", after.Port);

        using var session = await ConnectAsync();

        Assert.Equal((WebSocketState.Open, "streamlit"), (session.State, session.SubProtocol));
        Assert.Equal(0, await DrainAsync("a"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_request_is_forwarded_again_only_once()
    {
        Serve("a", FreePort.Find());
        var changes = 0;
        _forwarder.BeforeForwarding = () => Serve($"{++changes}", FreePort.Find());

        using var response = await _client.GetAsync(new Uri("/", UriKind.Relative), TestCancellation);

        Assert.Equal(
            (503, FrontDoorFixture.JsonReply("unreachable", "The app is not responding right now."), 2),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation), changes));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_request_gets_the_status_when_nothing_serves_any_more()
    {
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => _board.Publish(Sample.StateWithoutContainer);

        using var response = await _client.GetAsync(new Uri("/", UriKind.Relative), TestCancellation);

        Assert.Equal(
            (503, FrontDoorFixture.JsonReply("starting", "Looking for the newest version.")),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_POST_cut_off_by_the_old_container_is_not_sent_to_the_new_one()
    {
        await using var after = await TestServer.StartAsync(_ => Task.CompletedTask);
        await using var before = await TestServer.StartAsync(context =>
        {
            Serve("b", after.Port);
            context.Abort();
            return Task.CompletedTask;
        });
        Serve("a", before.Port);

        using var response = await _client.PostAsync(new Uri("/", UriKind.Relative), new StringContent("once"), TestCancellation);

        Assert.Equal(503, (int)response.StatusCode);
        Assert.Single(before.Requests);
        Assert.Empty(after.Requests);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private void Serve(string id, int port)
    {
        var serving = Sample.Serving(port);
        _board.Publish(Sample.StateWithoutContainer with { Front = serving with { Container = serving.Container with { Id = id } } });
    }

    private Task<int> DrainAsync(string id) =>
        _inFlight.DrainAsync(Sample.Container() with { Id = id }, Timeout.InfiniteTimeSpan, TestCancellation);

    private Task<int> FinishAsync(string id) =>
        _inFlight.FinishAsync(Sample.Container() with { Id = id }, Timeout.InfiniteTimeSpan, TestCancellation);

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol("streamlit");
        await socket.ConnectAsync(new Uri($"ws://{_server.Authority}/_stcore/stream"), TestCancellation);
        return socket;
    }

    private static async Task UntilClosedAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        try
        {
            await socket.ReceiveAsync(new byte[16], context.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the client disconnected without a close frame
        }
    }

    /// <summary>The real forwarder, with a hook that runs before it.</summary>
    private sealed class HookedForwarder(IHttpForwarder forwarder) : IHttpForwarder
    {
        public Action BeforeForwarding { get; set; } = () => { };

        public ValueTask<ForwarderError> SendAsync(
            HttpContext context,
            string destinationPrefix,
            HttpMessageInvoker httpClient,
            ForwarderRequestConfig requestConfig,
            HttpTransformer transformer)
        {
            BeforeForwarding();
            return forwarder.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer);
        }
    }
}
