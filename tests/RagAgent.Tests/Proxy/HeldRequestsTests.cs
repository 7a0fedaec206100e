using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.StatusPage;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Tests.Proxy;

/// <summary>Requests that arrive during a swap or restart wait for the new container.</summary>
public sealed class HeldRequestsTests : IAsyncLifetime
{
    private static readonly TimeSpan HoldTimeout = TimeSpan.FromSeconds(30);
    private static readonly AgentState TimeBetweenContainers = Sample.StateWithoutContainer with
    {
        Secrets = Sample.Loaded(Sample.CurrentSecrets),
        Tag = Sample.Loaded(Sample.CurrentResolution),
        Image = Sample.Loaded(new FetchedImage(Sample.Digest, 0)),
        Front = new ContainerState.Starting(1, new Release(Sample.CurrentImage, "config", "secrets"), Moment.Zero),
        LastServed = Moment.Zero,
    };

    private readonly StateFeed _board = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _shutdown = new();
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private InFlightRequests _inFlight = null!;
    private HeldRequests _held = null!;
    private ProxyHandler _handler = null!;
    private TestServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _inFlight = new InFlightRequests(new AgentClock(_time), Sample.DefaultPolicy);
        await StartAsync(HoldTimeout);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _server.DisposeAsync();
        _handler.Dispose();
        _shutdown.Dispose();
        await _services.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_during_a_swap_waits_and_goes_to_the_new_container()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("new"));
        _board.Publish(TimeBetweenContainers);

        var response = _client.GetStringAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        _board.Publish(
            TimeBetweenContainers with
            {
                Front = new ContainerState.Probing(
                    Sample.Container(app.Port), Moment.Zero, ProbeKind.Startup, new ProbeSchedule(Moment.Zero, null), null, Adopted: false),
            });
        Assert.False(response.IsCompleted);
        Assert.Empty(app.Requests);
        Serve(app);

        Assert.Equal("new", await response);
        await WaitUntilHeldAsync(0);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_for_an_app_that_fails_its_probes_waits_until_it_answers_again()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("back"));
        _board.Publish(TimeBetweenContainers with
        {
            Front = Sample.Serving(failures: 2, fault: "no answer") with
            {
                Container = Sample.Container(app.Port),
                UnreadySince = Moment.Zero,
            },
        });

        var response = _client.GetStringAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        Assert.Empty(app.Requests);
        Serve(app);

        Assert.Equal("back", await response);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_held_upload_waits_at_the_client_and_arrives_whole()
    {
        await using var app = await TestServer.StartAsync(_ => Task.CompletedTask);
        _board.Publish(TimeBetweenContainers);
        // More than all buffers on the way hold.
        var content = new ChunkedContent(count: 64);

        var response = _client.PostAsync(_server.Address, content, TestCancellation);
        await WaitUntilHeldAsync(1);
        Assert.InRange(content.Written, 0, 63);
        Serve(app);

        Assert.Equal(200, (int)(await response).StatusCode);
        Assert.Equal(64 * ChunkedContent.Size, Assert.Single(app.Requests).Body.Length);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_held_WebSocket_waits_and_counts_as_a_session_only_once_it_is_open()
    {
        var sessions = new List<int>();
        _inFlight.SessionsChanged += open => sessions.Add(open.Count);
        await using var app = await TestServer.StartAsync(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
        });
        _board.Publish(TimeBetweenContainers);
        using var session = new ClientWebSocket();
        session.Options.Proxy = null;

        var opening = session.ConnectAsync(new Uri($"ws://{_server.Authority}/_stcore/stream"), TestCancellation);
        await WaitUntilHeldAsync(1);
        Assert.Empty(sessions);
        Serve(app);
        await opening;

        var buffer = new byte[16];
        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, (await session.ReceiveAsync(buffer, TestCancellation)).Count));
        Assert.Equal(1, sessions[0]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_held_page_request_gets_the_status_page_after_a_short_wait()
    {
        _board.Publish(TimeBetweenContainers);

        var response = GetPageAsync();
        await WaitUntilHeldAsync(1);
        _time.Advance(ProxyHandler.PageMaxHold - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _held.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        using var page = await response;
        Assert.Equal((503, "text/html"), ((int)page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Equal(TimeSpan.FromSeconds(2), page.Headers.RetryAfter?.Delta);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_swap_that_exceeds_the_hold_limit_answers_503_to_held_and_later_requests()
    {
        _board.Publish(TimeBetweenContainers);
        _time.Advance(TimeSpan.FromSeconds(10));

        var response = _client.GetAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        _time.Advance(HoldTimeout - TimeSpan.FromSeconds(10));

        Assert.Equal(503, (int)(await response).StatusCode);
        using var later = await _client.GetAsync(_server.Address, TestCancellation);
        Assert.Equal((503, 0), ((int)later.StatusCode, _held.Count));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Held_requests_are_answered_at_once_when_the_app_will_not_come_back()
    {
        _board.Publish(TimeBetweenContainers);

        var response = _client.GetAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        _board.Publish(TimeBetweenContainers with
        {
            Hold = RagAgent.Supervision.State.StopHold.Operator,
            Front = new ContainerState.Absent(),
        });

        Assert.Equal(
            FrontDoorFixture.JsonReply("stopped", "The app is turned off for now."),
            await (await response).Content.ReadAsStringAsync(TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Requests_above_the_limit_are_not_held_and_a_client_that_leaves_frees_its_place()
    {
        _board.Publish(TimeBetweenContainers);
        using var leaving = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, HeldRequests.MaxHeld).Select(_ => _held.WaitAsync(null, leaving.Token)).ToArray();
        await WaitUntilHeldAsync(HeldRequests.MaxHeld);

        Assert.Equal(503, (int)(await _client.GetAsync(_server.Address, TestCancellation)).StatusCode);
        await leaving.CancelAsync();
        Assert.All(await Task.WhenAll(waiting), Assert.False);
        Assert.Equal(0, _held.Count);
        using var disconnect = new CancellationTokenSource();
        var request = _client.GetAsync(_server.Address, disconnect.Token);
        await WaitUntilHeldAsync(1);
        await disconnect.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await WaitUntilHeldAsync(0);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Held_requests_delay_neither_a_drain_nor_the_agents_stop()
    {
        _board.Publish(TimeBetweenContainers);
        var response = _client.GetAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);

        Assert.Equal(0, await _inFlight.DrainAsync(Sample.Container(), Timeout.InfiniteTimeSpan, TestCancellation));
        await _shutdown.CancelAsync();

        Assert.Equal(503, (int)(await response).StatusCode);   // on a clock that stands still
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_GET_is_retried_when_the_old_container_stops_during_it()
    {
        await using var after = await TestServer.StartAsync(context => context.Response.WriteAsync("after"));
        await using var before = await TestServer.StartAsync(context =>
        {
            _board.Publish(
                TimeBetweenContainers with { Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Replaced()) });
            context.Abort();
            return Task.CompletedTask;
        });
        Serve(before);

        var response = _client.GetStringAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        Serve(after);

        Assert.Equal("after", await response);
        Assert.Equal(0, await _inFlight.DrainAsync(Sample.Container(), Timeout.InfiniteTimeSpan, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_POST_that_the_old_container_may_have_acted_on_is_not_retried()
    {
        await using var before = await TestServer.StartAsync(context =>
        {
            _board.Publish(
                TimeBetweenContainers with { Front = new ContainerState.Stopping(1, Sample.Container(), new StopReason.Replaced()) });
            context.Abort();
            return Task.CompletedTask;
        });
        Serve(before);

        using var response = await _client.PostAsync(_server.Address, new StringContent("once"), TestCancellation);

        Assert.Equal((503, 0), ((int)response.StatusCode, _held.Count));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_request_that_hits_a_crash_waits_for_its_report_and_then_for_the_restart()
    {
        await using var after = await TestServer.StartAsync(context => context.Response.WriteAsync("after"));
        _board.Publish(TimeBetweenContainers with { Front = Sample.Serving(FreePort.Find()), LastServed = null });

        var response = _client.PostAsync(_server.Address, new StringContent("x"), TestCancellation);
        await WaitUntilHeldAsync(1);
        _board.Publish(
            TimeBetweenContainers with
            {
                Front = new ContainerState.BackingOff(
                    Moment.Zero + TimeSpan.FromSeconds(1), new Failure(Moment.Zero, null, Sample.AnyProblem, null)),
                Failures = TimeBetweenContainers.Failures with
                {
                    Crashes = 1,
                }
            });
        Assert.False(response.IsCompleted);
        Serve(after);

        Assert.Equal(200, (int)(await response).StatusCode);
        Assert.Equal("x", Assert.Single(after.Requests).Body);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_crash_report_the_client_learns_that_the_app_does_not_answer()
    {
        _board.Publish(TimeBetweenContainers with { Front = Sample.Serving(FreePort.Find()), LastServed = null });

        var response = _client.GetAsync(_server.Address, TestCancellation);
        await WaitUntilHeldAsync(1);
        _board.Touch();   // something else changed
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(
            FrontDoorFixture.JsonReply("unreachable", "The app is not responding right now."),
            await (await response).Content.ReadAsStringAsync(TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task With_a_hold_of_zero_no_request_waits()
    {
        await _server.DisposeAsync();
        _handler.Dispose();
        await StartAsync(TimeSpan.Zero);
        _board.Publish(TimeBetweenContainers);

        Assert.Equal(503, (int)(await _client.GetAsync(_server.Address, TestCancellation)).StatusCode);
    }

    [Theory]
    [InlineData("starting", true)]
    [InlineData("starting for the first time", false)]
    [InlineData("probing", true)]
    [InlineData("probing an adopted container", true)]
    [InlineData("probing an adopted container that fails", false)]
    [InlineData("replaced", true)]
    [InlineData("killed", true)]
    [InlineData("restarted by another program", true)]
    [InlineData("refused for its page", true)]
    [InlineData("serving, failed one probe", false)]
    [InlineData("serving, not ready", true)]
    [InlineData("never healthy", false)]
    [InlineData("stopped by an operator", false)]
    [InlineData("absent, next image on disk", true)]
    [InlineData("absent, nothing on disk", false)]
    [InlineData("absent, next image defective", false)]
    [InlineData("absent, no secrets", false)]
    [InlineData("failed, back in a second", true)]
    [InlineData("failed, back in a minute", false)]
    [InlineData("crash loop", false)]
    [InlineData("engine unreachable", false)]
    [InlineData("unknown", true)]   // right after the agent starts, an app may serve
    [InlineData("unknown, engine unreachable", false)]
    public void Requests_wait_only_while_the_app_is_about_to_be_back(string what, bool isAwaited)
    {
        var (first, probing) = (
            TimeBetweenContainers with { LastServed = null },
            new ContainerState.Probing(
                Sample.Container(), Moment.Zero, ProbeKind.Startup, new ProbeSchedule(Moment.Zero, null), null, Adopted: false));
        var failed = new ContainerState.BackingOff(
            Moment.Zero + TimeSpan.FromSeconds(1), new Failure(Moment.Zero, null, Sample.AnyProblem, null));
        AgentState Stopping(StopReason reason) => TimeBetweenContainers with
        {
            Front = new ContainerState.Stopping(1, Sample.Container(), reason),
        };
        var absent = TimeBetweenContainers with { Front = new ContainerState.Absent() };
        var state = what switch
        {
            "starting" => TimeBetweenContainers,
            "starting for the first time" => first,
            "probing" => TimeBetweenContainers with { Front = probing },
            "probing an adopted container" => first with { Front = probing with { Adopted = true } },
            "probing an adopted container that fails" => first with { Front = probing with { Adopted = true, LastError = "no answer" } },
            "replaced" => Stopping(new StopReason.Replaced()),
            "killed" => Stopping(new StopReason.Unhealthy(4, "no answer")),
            "restarted by another program" => Stopping(new StopReason.RestartedByOther()),
            "serving, failed one probe" => TimeBetweenContainers with { Front = Sample.Serving(failures: 1, fault: "no answer") },
            "serving, not ready" => TimeBetweenContainers with
            {
                Front = Sample.Serving(failures: 2, fault: "no answer") with { UnreadySince = Moment.Zero },
            },
            "refused for its page" => Stopping(new StopReason.SessionFailed("KeyError: 'x'")),
            "never healthy" => Stopping(new StopReason.NeverHealthy(TimeSpan.FromMinutes(10), null)),
            "stopped by an operator" => Stopping(new StopReason.Requested()) with { Hold = RagAgent.Supervision.State.StopHold.Operator },
            "absent, next image on disk" => absent,
            "absent, nothing on disk" => absent with { Image = Sample.Loading<FetchedImage>() },
            "absent, next image defective" => absent with { Images = absent.Images with { Defects = [new ImageDefect(Sample.CurrentImage, IsCorrupt: true)] } },
            "absent, no secrets" => absent with { Secrets = Fetched<SecretVersions>.Wanted },
            "failed, back in a second" => TimeBetweenContainers with { Front = failed, Failures = TimeBetweenContainers.Failures with { Crashes = 1 } },
            "failed, back in a minute" => TimeBetweenContainers with
            {
                Front = failed with { Until = Moment.Zero + TimeSpan.FromMinutes(1) },
                Failures = TimeBetweenContainers.Failures with { Crashes = 1 },
            },
            "crash loop" => TimeBetweenContainers with { Failures = TimeBetweenContainers.Failures with { Crashes = 5 } },
            "engine unreachable" => TimeBetweenContainers with
            {
                Engine = Sample.LoadFailed(Sample.AnyProblem, Sample.StateWithoutContainer.Engine.Value),
            },
            "unknown" => new AgentState(),
            "unknown, engine unreachable" => new AgentState { Engine = Sample.LoadFailed<Inventory>(Sample.AnyProblem) },
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };

        Assert.Equal(isAwaited ? Moment.Zero + HoldTimeout : null, RecoveryForecast.WaitUntil(state, Sample.DefaultPolicy, HoldTimeout));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private async Task StartAsync(TimeSpan hold)
    {
        var clock = new AgentClock(_time);
        var unavailable = new UnavailableResponse(
            new AgentConfig { Image = "app" }, _board, Sample.DefaultPolicy, Sample.FirstBoot(), clock, NullLogger.Instance);
        _held = new HeldRequests(_board, Sample.DefaultPolicy, clock, hold);
        _handler = new ProxyHandler(
            _services.GetRequiredService<IHttpForwarder>(),
            _inFlight,
            _board,
            _held,
            new StatusPageEvents(_board, unavailable.ModelOf, _time),
            unavailable,
            _time);
        _server = await TestServer.StartAsync(context => _handler.HandleAsync(context, _shutdown.Token), record: false);
    }

    private void Serve(TestServer app) =>
        _board.Publish(TimeBetweenContainers with { Front = Sample.Serving(app.Port), LastServed = null });

    private async Task<HttpResponseMessage> GetPageAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _server.Address) { Headers = { { "Accept", "text/html,*/*;q=0.8" } } };
        return await _client.SendAsync(request, TestCancellation);
    }

    private async Task WaitUntilHeldAsync(int count)
    {
        while (_held.Count != count)
        {
            await Task.Yield();
            TestCancellation.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A body that is written in chunks of one megabyte.</summary>
    private sealed class ChunkedContent(int count) : HttpContent
    {
        public const int Size = 1 << 20;

        private int _written;

        public int Written => Volatile.Read(ref _written);

        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            var piece = new byte[Size];
            Array.Fill(piece, (byte)'x');
            for (var i = 0; i < count; i++)
            {
                await stream.WriteAsync(piece, TestCancellation);
                Interlocked.Increment(ref _written);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
