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

/// <summary>Visitors who come while one container takes the place of another.</summary>
public sealed class ProxySwapTests : IAsyncLifetime
{
    private readonly StateFeed _board = new();
    private readonly InFlightRequests _inFlight = new(TimeProvider.System);
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private HookedForwarder _forwarder = null!;
    private ProxyHandler _handler = null!;
    private TestServer _door = null!;

    public async ValueTask InitializeAsync()
    {
        _forwarder = new HookedForwarder(_services.GetRequiredService<IHttpForwarder>());
        var clock = new AgentClock(TimeProvider.System);
        var unserved = new UnavailableResponse(new AgentConfig { Image = "app" }, _board, Sample.DefaultPolicy, Sample.FirstBoot(), clock, NullLogger.Instance);
        _handler = new ProxyHandler(_forwarder, _inFlight, _board, new HeldRequests(_board, Sample.DefaultPolicy, clock, TimeSpan.FromSeconds(30)), new StatusPageEvents(_board, unserved.ModelOf, clock.Time), unserved);
        _door = await TestServer.StartAsync(context => _handler.HandleAsync(context, CancellationToken.None), record: false);
        _client.BaseAddress = _door.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _door.DisposeAsync();
        _handler.Dispose();
        await _services.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_that_is_on_its_way_is_waited_for_and_one_that_comes_then_is_led_elsewhere()
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
    public async Task A_session_is_on_its_way_until_it_ends()
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
    public async Task A_stop_waits_for_requests_and_not_for_sessions()
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
    public async Task Nobody_is_led_to_a_container_that_stopped_to_serve_while_he_was_counted()
    {
        await using var before = await TestServer.StartAsync(context => context.Response.WriteAsync("before"));
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", before.Port);
        // The number of sessions is told in the middle of the counting.
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
    public async Task Who_finds_the_door_of_the_old_one_shut_is_led_to_the_new_one()
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
    public async Task His_upload_arrives_there_whole()
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
    public async Task So_is_a_session()
    {
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => Serve("b", after.Port);

        using var session = await ConnectAsync();

        Assert.Equal((WebSocketState.Open, "streamlit"), (session.State, session.SubProtocol));
        Assert.Equal(0, await DrainAsync("a"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task He_is_led_on_once_and_not_for_ever()
    {
        Serve("a", FreePort.Find());
        var changes = 0;
        _forwarder.BeforeForwarding = () => Serve($"{++changes}", FreePort.Find());

        using var response = await _client.GetAsync(new Uri("/", UriKind.Relative), TestCancellation);

        Assert.Equal((503, FrontDoorFixture.JsonReply("unreachable", "The app is not responding right now."), 2), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation), changes));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task When_nothing_serves_by_then_he_reads_what_is_going_on()
    {
        Serve("a", FreePort.Find());
        _forwarder.BeforeForwarding = () => _board.Publish(Sample.StateWithoutContainer);

        using var response = await _client.GetAsync(new Uri("/", UriKind.Relative), TestCancellation);

        Assert.Equal((503, FrontDoorFixture.JsonReply("starting", "Looking for the newest version.")), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task What_the_old_one_may_have_acted_on_is_not_asked_again()
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

    private Task<int> DrainAsync(string id) => _inFlight.DrainAsync(Sample.Container() with { Id = id }, Timeout.InfiniteTimeSpan, TestCancellation);

    private Task<int> FinishAsync(string id) => _inFlight.FinishAsync(Sample.Container() with { Id = id }, Timeout.InfiniteTimeSpan, TestCancellation);

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol("streamlit");
        await socket.ConnectAsync(new Uri($"ws://{_door.Authority}/_stcore/stream"), TestCancellation);
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
            return;   // the visitor left without a word
        }
    }

    /// <summary>The real forwarder, with a moment before it in which the world may change.</summary>
    private sealed class HookedForwarder(IHttpForwarder forwarder) : IHttpForwarder
    {
        public Action BeforeForwarding { get; set; } = () => { };

        public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig, HttpTransformer transformer)
        {
            BeforeForwarding();
            return forwarder.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer);
        }
    }
}
