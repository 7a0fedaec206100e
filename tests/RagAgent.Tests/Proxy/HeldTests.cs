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
using RagAgent.Tests.Bench;
using Xunit;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Tests.Proxy;

/// <summary>Requests that come while one container takes the place of another wait for it.</summary>
public sealed class HeldTests : IAsyncLifetime
{
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(30);
    private static readonly AgentState Between = Told.Idle with
    {
        Secrets = Told.Known(Told.Secrets),
        Tag = Told.Known(Told.Resolution),
        Image = Told.Known(new FetchedImage(Told.Digest, 0)),
        Front = new ContainerState.Starting(1, new Release(Told.Image, "config", "secrets"), Moment.Zero),
        LastServed = Moment.Zero,
    };

    private readonly StateFeed _board = new();
    private readonly FakeTimeProvider _time = new();
    private readonly CancellationTokenSource _ending = new();
    private readonly HttpClient _browser = new(new SocketsHttpHandler { UseProxy = false });
    private readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddHttpForwarder().BuildServiceProvider();
    private InFlightRequests _visits = null!;
    private HeldRequests _held = null!;
    private ProxyHandler _reception = null!;
    private TestServer _door = null!;

    public async ValueTask InitializeAsync()
    {
        _visits = new InFlightRequests(_time);
        await OpenAsync(Hold);
    }

    public async ValueTask DisposeAsync()
    {
        _browser.Dispose();
        await _door.DisposeAsync();
        _reception.Dispose();
        _ending.Dispose();
        await _services.DisposeAsync();
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_request_waits_and_goes_to_the_new_one()
    {
        await using var app = await TestServer.StartAsync(call => call.Response.WriteAsync("new"));
        _board.Publish(Between);

        var answer = _browser.GetStringAsync(_door.Address, Stop);
        await HeldAsync(1);
        _board.Publish(Between with { Front = new ContainerState.Probing(Told.Container(app.Port), Moment.Zero, ProbeKind.Startup, new ProbeSchedule(Moment.Zero, null), null, Adopted: false) });
        Assert.False(answer.IsCompleted);
        Assert.Empty(app.Requests);
        Serve(app);

        Assert.Equal("new", await answer);
        await HeldAsync(0);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_upload_waits_at_its_sender_and_arrives_whole()
    {
        await using var app = await TestServer.StartAsync(_ => Task.CompletedTask);
        _board.Publish(Between);
        // More than all buffers on the way take.
        var content = new Pieces(count: 64);

        var answer = _browser.PostAsync(_door.Address, content, Stop);
        await HeldAsync(1);
        Assert.InRange(content.Written, 0, 63);
        Serve(app);

        Assert.Equal(200, (int)(await answer).StatusCode);
        Assert.Equal(64 * Pieces.Size, Assert.Single(app.Requests).Body.Length);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_session_waits_as_well_and_is_none_until_it_is_open()
    {
        var sessions = new List<int>();
        _visits.SessionsChanged += sessions.Add;
        await using var app = await TestServer.StartAsync(async call =>
        {
            using var socket = await call.WebSockets.AcceptWebSocketAsync();
            await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, call.RequestAborted);
        });
        _board.Publish(Between);
        using var session = new ClientWebSocket();
        session.Options.Proxy = null;

        var opening = session.ConnectAsync(new Uri($"ws://{_door.Authority}/_stcore/stream"), Stop);
        await HeldAsync(1);
        Assert.Empty(sessions);
        Serve(app);
        await opening;

        var buffer = new byte[16];
        Assert.Equal("hello", Encoding.UTF8.GetString(buffer, 0, (await session.ReceiveAsync(buffer, Stop)).Count));
        Assert.Equal(1, sessions[0]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_browser_that_goes_somewhere_waits_a_moment_and_then_gets_the_page_which_goes_on_by_itself()
    {
        _board.Publish(Between);

        var answer = AskForPageAsync();
        await HeldAsync(1);
        _time.Advance(ProxyHandler.PageMaxHold - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _held.Count);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        using var page = await answer;
        Assert.Equal((503, "text/html"), ((int)page.StatusCode, page.Content.Headers.ContentType?.MediaType));
        Assert.Equal(TimeSpan.FromSeconds(2), page.Headers.RetryAfter?.Delta);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_change_that_takes_too_long_is_told_and_so_are_those_who_come_later_in_it()
    {
        _board.Publish(Between);
        _time.Advance(TimeSpan.FromSeconds(10));

        var answer = _browser.GetAsync(_door.Address, Stop);
        await HeldAsync(1);
        _time.Advance(Hold - TimeSpan.FromSeconds(10));

        Assert.Equal(503, (int)(await answer).StatusCode);
        using var later = await _browser.GetAsync(_door.Address, Stop);
        Assert.Equal((503, 0), ((int)later.StatusCode, _held.Count));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task When_it_turns_out_that_the_app_does_not_come_back_they_are_told_at_once()
    {
        _board.Publish(Between);

        var answer = _browser.GetAsync(_door.Address, Stop);
        await HeldAsync(1);
        _board.Publish(Between with { Hold = RagAgent.Supervision.State.Hold.Operator, Front = new ContainerState.Absent() });

        Assert.Equal(Visit.Says("stopped", "The app is switched off for now."), await (await answer).Content.ReadAsStringAsync(Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Beyond_the_bound_nobody_waits_and_who_leaves_makes_room()
    {
        _board.Publish(Between);
        using var leaving = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, HeldRequests.MaxHeld).Select(_ => _held.WaitAsync(null, leaving.Token)).ToArray();
        await HeldAsync(HeldRequests.MaxHeld);

        Assert.Equal(503, (int)(await _browser.GetAsync(_door.Address, Stop)).StatusCode);
        await leaving.CancelAsync();
        Assert.All(await Task.WhenAll(waiting), Assert.False);
        Assert.Equal(0, _held.Count);
        using var patience = new CancellationTokenSource();
        var visitor = _browser.GetAsync(_door.Address, patience.Token);
        await HeldAsync(1);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => visitor);
        await HeldAsync(0);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task They_hold_up_neither_a_drain_nor_the_end_of_the_agent()
    {
        _board.Publish(Between);
        var answer = _browser.GetAsync(_door.Address, Stop);
        await HeldAsync(1);

        Assert.Equal(0, await _visits.DrainAsync(Told.Container(), Timeout.InfiniteTimeSpan, Stop));
        await _ending.CancelAsync();

        Assert.Equal(503, (int)(await answer).StatusCode);   // on a clock that stands still
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_only_asks_to_be_shown_something_is_asked_again_when_the_old_one_goes_in_the_middle()
    {
        await using var after = await TestServer.StartAsync(call => call.Response.WriteAsync("after"));
        await using var before = await TestServer.StartAsync(call =>
        {
            _board.Publish(Between with { Front = new ContainerState.Stopping(1, Told.Container(), new StopReason.Replaced()) });
            call.Abort();
            return Task.CompletedTask;
        });
        Serve(before);

        var answer = _browser.GetStringAsync(_door.Address, Stop);
        await HeldAsync(1);
        Serve(after);

        Assert.Equal("after", await answer);
        Assert.Equal(0, await _visits.DrainAsync(Told.Container(), Timeout.InfiniteTimeSpan, Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_the_old_one_may_have_acted_on_is_not_and_is_told_so()
    {
        await using var before = await TestServer.StartAsync(call =>
        {
            _board.Publish(Between with { Front = new ContainerState.Stopping(1, Told.Container(), new StopReason.Replaced()) });
            call.Abort();
            return Task.CompletedTask;
        });
        Serve(before);

        using var answer = await _browser.PostAsync(_door.Address, new StringContent("once"), Stop);

        Assert.Equal((503, 0), ((int)answer.StatusCode, _held.Count));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_meets_a_crash_before_it_is_known_waits_for_the_news_of_it_and_then_for_the_restart()
    {
        await using var after = await TestServer.StartAsync(call => call.Response.WriteAsync("after"));
        _board.Publish(Between with { Front = Told.Serving(FreePort.Take()), LastServed = null });

        var answer = _browser.PostAsync(_door.Address, new StringContent("x"), Stop);
        await HeldAsync(1);
        _board.Publish(Between with { Front = new ContainerState.BackingOff(Moment.Zero + TimeSpan.FromSeconds(1), new Failure(Moment.Zero, null, Told.Trouble, null)), Crashes = 1 });
        Assert.False(answer.IsCompleted);
        Serve(after);

        Assert.Equal(200, (int)(await answer).StatusCode);
        Assert.Equal("x", Assert.Single(after.Requests).Body);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task When_there_are_none_he_is_told_that_the_app_does_not_answer()
    {
        _board.Publish(Between with { Front = Told.Serving(FreePort.Take()), LastServed = null });

        var answer = _browser.GetAsync(_door.Address, Stop);
        await HeldAsync(1);
        _board.Touch();   // of something else
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(Visit.Says("unreachable", "The app does not answer right now."), await (await answer).Content.ReadAsStringAsync(Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task With_no_patience_configured_nobody_waits()
    {
        await _door.DisposeAsync();
        _reception.Dispose();
        await OpenAsync(TimeSpan.Zero);
        _board.Publish(Between);

        Assert.Equal(503, (int)(await _browser.GetAsync(_door.Address, Stop)).StatusCode);
    }

    [Theory]
    [InlineData("starting", true)]
    [InlineData("starting for the first time", false)]
    [InlineData("probing", true)]
    [InlineData("probing one that was found", true)]
    [InlineData("probing one that was found and is not well", false)]
    [InlineData("replaced", true)]
    [InlineData("killed", true)]
    [InlineData("restarted by other", true)]
    [InlineData("never healthy", false)]
    [InlineData("stopped by an operator", false)]
    [InlineData("absent, the next one on disk", true)]
    [InlineData("absent, nothing on disk", false)]
    [InlineData("absent, the next one broken", false)]
    [InlineData("absent, no secrets", false)]
    [InlineData("failed, back in a second", true)]
    [InlineData("failed, back in a minute", false)]
    [InlineData("crash loop", false)]
    [InlineData("engine away", false)]
    [InlineData("unseen", true)]   // as after a restart of the agent, beside an app that serves
    [InlineData("unseen, engine away", false)]
    public void The_app_is_waited_for_only_where_it_is_about_to_be_back(string what, bool isAwaited)
    {
        var (first, probing) = (Between with { LastServed = null }, new ContainerState.Probing(Told.Container(), Moment.Zero, ProbeKind.Startup, new ProbeSchedule(Moment.Zero, null), null, Adopted: false));
        var failed = new ContainerState.BackingOff(Moment.Zero + TimeSpan.FromSeconds(1), new Failure(Moment.Zero, null, Told.Trouble, null));
        AgentState Stopping(StopReason reason) => Between with { Front = new ContainerState.Stopping(1, Told.Container(), reason) };
        var absent = Between with { Front = new ContainerState.Absent() };
        var state = what switch
        {
            "starting" => Between,
            "starting for the first time" => first,
            "probing" => Between with { Front = probing },
            "probing one that was found" => first with { Front = probing with { Adopted = true } },
            "probing one that was found and is not well" => first with { Front = probing with { Adopted = true, LastError = "no answer" } },
            "replaced" => Stopping(new StopReason.Replaced()),
            "killed" => Stopping(new StopReason.Unhealthy(4, "no answer")),
            "restarted by other" => Stopping(new StopReason.RestartedByOther()),
            "never healthy" => Stopping(new StopReason.NeverHealthy(TimeSpan.FromMinutes(10), null)),
            "stopped by an operator" => Stopping(new StopReason.Requested()) with { Hold = RagAgent.Supervision.State.Hold.Operator },
            "absent, the next one on disk" => absent,
            "absent, nothing on disk" => absent with { Image = Told.Running<FetchedImage>() },
            "absent, the next one broken" => absent with { Defects = [new Defect(Told.Image, IsCorrupt: true)] },
            "absent, no secrets" => absent with { Secrets = Fetched<SecretVersions>.Wanted },
            "failed, back in a second" => Between with { Front = failed, Crashes = 1 },
            "failed, back in a minute" => Between with { Front = failed with { Until = Moment.Zero + TimeSpan.FromMinutes(1) }, Crashes = 1 },
            "crash loop" => Between with { Crashes = 5 },
            "engine away" => Between with { Engine = Told.Failing(Told.Trouble, Told.Idle.Engine.Value) },
            "unseen" => new AgentState(),
            "unseen, engine away" => new AgentState { Engine = Told.Failing<Inventory>(Told.Trouble) },
            _ => throw new ArgumentOutOfRangeException(nameof(what)),
        };

        Assert.Equal(isAwaited ? Moment.Zero + Hold : null, RecoveryForecast.WaitUntil(state, Told.Policy, Hold));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task OpenAsync(TimeSpan hold)
    {
        var clock = new AgentClock(_time);
        var unserved = new UnavailableResponse(new AgentConfig { Image = "app" }, _board, Told.Policy, Told.Boot(), clock, NullLogger.Instance);
        _held = new HeldRequests(_board, Told.Policy, clock, hold);
        _reception = new ProxyHandler(_services.GetRequiredService<IHttpForwarder>(), _visits, _board, _held, new StatusPageEvents(_board, unserved.ModelOf, _time), unserved);
        _door = await TestServer.StartAsync(visit => _reception.HandleAsync(visit, _ending.Token), record: false);
    }

    private void Serve(TestServer app) => _board.Publish(Between with { Front = Told.Serving(app.Port), LastServed = null });

    private async Task<HttpResponseMessage> AskForPageAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _door.Address) { Headers = { { "Accept", "text/html,*/*;q=0.8" } } };
        return await _browser.SendAsync(request, Stop);
    }

    private async Task HeldAsync(int count)
    {
        while (_held.Count != count)
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }

    /// <summary>A body of a megabyte a piece.</summary>
    private sealed class Pieces(int count) : HttpContent
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
                await stream.WriteAsync(piece, Stop);
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
