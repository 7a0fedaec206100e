using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.StatusPage;
using RagAgent.Supervision.Runtime;
using RagAgent.Tests.Bench;
using Xunit;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Tests.Proxy;

/// <summary>Visitors who come while one container takes the place of another.</summary>
public sealed class ChangeOfContainerTests : IAsyncLifetime
{
    private readonly StateFeed _board = new();
    private readonly InFlightRequests _visits = new(TimeProvider.System);
    private readonly HttpClient _browser = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private Moments _moments = null!;
    private ProxyHandler _reception = null!;
    private TestServer _door = null!;

    public async ValueTask InitializeAsync()
    {
        _moments = new Moments(_services.GetRequiredService<IHttpForwarder>());
        var clock = new AgentClock(TimeProvider.System);
        var unserved = new UnavailableResponse(new AgentConfig { Image = "app" }, _board, Told.Policy, Told.Boot(), clock, NullLogger.Instance);
        _reception = new ProxyHandler(_moments, _visits, _board, new HeldRequests(_board, Told.Policy, clock, TimeSpan.FromSeconds(30)), new StatusPageEvents(_board, unserved.ModelOf, clock.Time), unserved);
        _door = await TestServer.StartAsync(visit => _reception.HandleAsync(visit, CancellationToken.None), record: false);
        _browser.BaseAddress = _door.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _door.DisposeAsync();
        _reception.Dispose();
        await _services.DisposeAsync();
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_request_that_is_on_its_way_is_waited_for_and_one_that_comes_then_is_led_elsewhere()
    {
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var before = await TestServer.StartAsync(async call =>
        {
            asked.SetResult();
            await goOn.Task;
            await call.Response.WriteAsync("before");
        });
        await using var after = await TestServer.StartAsync(call => call.Response.WriteAsync("after"));
        Serve("a", before.Port);

        var first = _browser.GetStringAsync(new Uri("/", UriKind.Relative), Stop);
        await asked.Task.WaitAsync(Stop);
        Serve("b", after.Port);
        var draining = DrainAsync("a");
        Assert.Equal("after", await _browser.GetStringAsync(new Uri("/", UriKind.Relative), Stop));
        Assert.False(draining.IsCompleted);
        goOn.SetResult();

        Assert.Equal("before", await first);
        Assert.Equal(0, await draining);
        Assert.Equal(0, await DrainAsync("b"));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_session_is_on_its_way_until_it_ends()
    {
        await using var app = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", app.Port);
        using var session = await ConnectAsync();

        var draining = DrainAsync("a");
        Assert.False(draining.IsCompleted);
        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);

        Assert.Equal(0, await draining);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_stop_waits_for_requests_and_not_for_sessions()
    {
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var app = await TestServer.StartAsync(async call =>
        {
            if (call.WebSockets.IsWebSocketRequest)
            {
                await UntilClosedAsync(call);
                return;
            }
            asked.SetResult();
            await goOn.Task;
        });
        Serve("a", app.Port);
        using var session = await ConnectAsync();
        Assert.Equal(0, await FinishAsync("a"));

        var request = _browser.GetStringAsync(new Uri("/", UriKind.Relative), Stop);
        await asked.Task.WaitAsync(Stop);
        Assert.Equal(1, await _visits.FinishAsync(Told.Container() with { Id = "a" }, TimeSpan.FromMilliseconds(1), Stop));
        var finishing = FinishAsync("a");
        Assert.False(finishing.IsCompleted);
        goOn.SetResult();

        await request;
        Assert.Equal(0, await finishing);
        Assert.Equal(WebSocketState.Open, session.State);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Nobody_is_led_to_a_container_that_stopped_to_serve_while_he_was_counted()
    {
        await using var before = await TestServer.StartAsync(call => call.Response.WriteAsync("before"));
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", before.Port);
        // The number of sessions is told in the middle of the counting.
        var once = 0;
        _visits.SessionsChanged += _ =>
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

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_finds_the_door_of_the_old_one_shut_is_led_to_the_new_one()
    {
        await using var after = await TestServer.StartAsync(call => call.Response.WriteAsync("after"));
        Serve("a", FreePort.Take());
        _moments.BeforeForwarding = () => Serve("b", after.Port);

        using var answer = await _browser.GetAsync(new Uri("page?q", UriKind.Relative), Stop);

        Assert.Equal((200, "after"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
        Assert.False(answer.Headers.Contains("Refresh"));
        Assert.Equal("GET /page?q", Assert.Single(after.Requests).ToString());
        Assert.Equal((0, 0), (await DrainAsync("a"), await DrainAsync("b")));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task His_upload_arrives_there_whole()
    {
        await using var after = await TestServer.StartAsync(_ => Task.CompletedTask);
        Serve("a", FreePort.Take());
        _moments.BeforeForwarding = () => Serve("b", after.Port);
        var upload = new string('x', 200_000);

        using var answer = await _browser.PostAsync(new Uri("/", UriKind.Relative), new StringContent(upload), Stop);

        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(upload, Assert.Single(after.Requests).Body);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task So_is_a_session()
    {
        await using var after = await TestServer.StartAsync(UntilClosedAsync);
        Serve("a", FreePort.Take());
        _moments.BeforeForwarding = () => Serve("b", after.Port);

        using var session = await ConnectAsync();

        Assert.Equal((WebSocketState.Open, "streamlit"), (session.State, session.SubProtocol));
        Assert.Equal(0, await DrainAsync("a"));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task He_is_led_on_once_and_not_for_ever()
    {
        Serve("a", FreePort.Take());
        var changes = 0;
        _moments.BeforeForwarding = () => Serve($"{++changes}", FreePort.Take());

        using var answer = await _browser.GetAsync(new Uri("/", UriKind.Relative), Stop);

        Assert.Equal((503, Visit.Says("unreachable", "The app does not answer right now."), 2), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop), changes));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task When_nothing_serves_by_then_he_reads_what_is_going_on()
    {
        Serve("a", FreePort.Take());
        _moments.BeforeForwarding = () => _board.Publish(Told.Idle);

        using var answer = await _browser.GetAsync(new Uri("/", UriKind.Relative), Stop);

        Assert.Equal((503, Visit.Says("starting", "Looking for the newest version.")), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_the_old_one_may_have_acted_on_is_not_asked_again()
    {
        await using var after = await TestServer.StartAsync(_ => Task.CompletedTask);
        await using var before = await TestServer.StartAsync(call =>
        {
            Serve("b", after.Port);
            call.Abort();
            return Task.CompletedTask;
        });
        Serve("a", before.Port);

        using var answer = await _browser.PostAsync(new Uri("/", UriKind.Relative), new StringContent("once"), Stop);

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Single(before.Requests);
        Assert.Empty(after.Requests);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private void Serve(string id, int port)
    {
        var serving = Told.Serving(port);
        _board.Publish(Told.Idle with { Front = serving with { Container = serving.Container with { Id = id } } });
    }

    private Task<int> DrainAsync(string id) => _visits.DrainAsync(Told.Container() with { Id = id }, Timeout.InfiniteTimeSpan, Stop);

    private Task<int> FinishAsync(string id) => _visits.FinishAsync(Told.Container() with { Id = id }, Timeout.InfiniteTimeSpan, Stop);

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol("streamlit");
        await socket.ConnectAsync(new Uri($"ws://{_door.Authority}/_stcore/stream"), Stop);
        return socket;
    }

    private static async Task UntilClosedAsync(HttpContext call)
    {
        using var socket = await call.WebSockets.AcceptWebSocketAsync("streamlit");
        try
        {
            await socket.ReceiveAsync(new byte[16], call.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, call.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the visitor left without a word
        }
    }

    /// <summary>The real forwarder, with a moment before it in which the world may change.</summary>
    private sealed class Moments(IHttpForwarder forwarder) : IHttpForwarder
    {
        public Action BeforeForwarding { get; set; } = () => { };

        public ValueTask<ForwarderError> SendAsync(HttpContext context, string destinationPrefix, HttpMessageInvoker httpClient, ForwarderRequestConfig requestConfig, HttpTransformer transformer)
        {
            BeforeForwarding();
            return forwarder.SendAsync(context, destinationPrefix, httpClient, requestConfig, transformer);
        }
    }
}
