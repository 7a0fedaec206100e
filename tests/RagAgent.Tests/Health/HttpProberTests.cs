using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Configuration;
using RagAgent.Health;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Health;

public sealed class HttpProberTests : IDisposable
{
    private static readonly AgentConfig Config = new() { Image = "app" };
    private readonly FakeTimeProvider _time = new();
    private readonly FakePressureFiles _pressure = new();

    public void Dispose() => _pressure.Dispose();

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup")]
    [InlineData("Liveness")]
    public async Task An_app_that_answers_well_has_no_fault(string kind)
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("ok"));

        Assert.Null(await FindFaultAsync(app, Enum.Parse<ProbeKind>(kind)));
        Assert.Equal("GET /_stcore/health", Assert.Single(app.Requests).ToString());
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(503)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task Any_other_answer_is_a_fault(int status)
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });

        Assert.Equal($"/_stcore/health answered {status}", await FindFaultAsync(app, ProbeKind.Liveness));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_app_that_nobody_finds_listening_has_its_connection_refused()
    {
        var app = await TestServer.StartAsync(_ => Task.CompletedTask);
        await app.DisposeAsync();

        Assert.Equal("/_stcore/health did not answer: the connection was refused", await FindFaultAsync(app, ProbeKind.Startup));
        Assert.Equal("/_stcore/stream refused a WebSocket: the connection was refused", await FindFaultAsync(app, ProbeKind.Gate));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup", 5, "/_stcore/health did not answer within 5s")]
    [InlineData("Liveness", 10, "/_stcore/health did not answer within 10s")]
    [InlineData("Gate", 5, "/_stcore/stream did not answer within 5s")]
    public async Task An_app_that_hangs_is_not_waited_for(string kind, int patience, string fault)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });

        var probing = FindFaultAsync(app, Enum.Parse<ProbeKind>(kind));
        await asked.Task.WaitAsync(TestCancellation);
        _time.Advance(TimeSpan.FromSeconds(patience) - TimeSpan.FromMilliseconds(1));
        Assert.False(probing.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(fault, await probing);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_gate_makes_a_handshake_as_a_browser_does()
    {
        await using var app = await TestServer.StartAsync(AcceptAsync);

        Assert.Null(await FindFaultAsync(app, ProbeKind.Gate));
        var handshake = Assert.Single(app.Requests);
        Assert.Equal("GET /_stcore/stream", handshake.ToString());
        Assert.Equal(("streamlit", $"http://{app.Authority}", app.Authority), (handshake.Headers["Sec-WebSocket-Protocol"], handshake.Headers["Origin"], handshake.Headers["Host"]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_handshake_is_a_fault()
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });

        Assert.Equal("/_stcore/stream refused a WebSocket: The server returned status code '403' when status code '101' was expected", await FindFaultAsync(app, ProbeKind.Gate));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_gates_path_must_answer_before_its_handshake_is_made()
    {
        var config = Config with { Health = new HealthConfig { Gate = new GateConfig { Path = "/_stcore/script-health-check" } } };
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });

        Assert.Equal("/_stcore/script-health-check answered 503", await FindFaultAsync(app, ProbeKind.Gate, config));
        Assert.Equal("GET /_stcore/script-health-check", Assert.Single(app.Requests).ToString());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_gate_that_asks_nothing_is_open()
    {
        var config = Config with { Health = new HealthConfig { Gate = new GateConfig { WebSocket = null } } };
        await using var app = await TestServer.StartAsync(_ => Task.CompletedTask);

        Assert.Null(await FindFaultAsync(app, ProbeKind.Gate, config));
        Assert.Empty(app.Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_container_without_a_port_can_not_be_asked()
    {
        using var prober = NewProber();

        Assert.Equal("the engine has published no port for it", await FaultAsync(prober, ProbeKind.Startup, Sample.Container(port: null), TestCancellation));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup")]
    [InlineData("Gate")]
    public async Task Being_told_to_stop_is_no_fault_of_the_app(string kind)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });
        using var prober = NewProber();
        using var stop = new CancellationTokenSource();

        var probing = prober.ProbeAsync(Enum.Parse<ProbeKind>(kind), Sample.Container(app.Port), stop.Token);
        await asked.Task.WaitAsync(TestCancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_answer_that_is_no_HTTP_is_a_fault()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(TestCancellation);
            await client.GetStream().WriteAsync("SSH-2.0-OpenSSH\r\n\r\n"u8.ToArray(), TestCancellation);
        }, TestCancellation);
        using var prober = NewProber();

        var fault = await FaultAsync(prober, ProbeKind.Startup, Sample.Container(((System.Net.IPEndPoint)listener.LocalEndpoint).Port), TestCancellation);

        await answering;
        Assert.StartsWith("/_stcore/health did not answer: ", fault, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup", 5)]
    [InlineData("Liveness", 10)]
    [InlineData("Gate", 5)]
    public async Task A_timer_that_fires_far_too_late_tells_of_the_agent_and_not_of_the_app(string kind, int patience)
    {
        var result = await AssertTimeoutAsync(Enum.Parse<ProbeKind>(kind), TimeSpan.FromSeconds(patience + 30));

        Assert.Equal(new ProbeResult.NotSent("the agent itself did not run for 30s"), result);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_timer_that_fires_a_little_late_is_a_timer() =>
        Assert.Equal(new ProbeResult.Failed("/_stcore/health did not answer within 10s", UnderPressure: false), await AssertTimeoutAsync(ProbeKind.Liveness, TimeSpan.FromSeconds(11)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Slowness_on_a_machine_that_is_short_is_told_with_it()
    {
        _pressure.Set("cpu", 83.5);

        Assert.Equal(
            new ProbeResult.Failed("/_stcore/health did not answer within 10s while the machine is short of processor time", UnderPressure: true),
            await AssertTimeoutAsync(ProbeKind.Liveness, TimeSpan.FromSeconds(10)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_fault_that_no_shortage_explains_keeps_its_words_but_the_shortage_is_told()
    {
        _pressure.Set("memory", 50);
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        using var prober = NewProber();

        Assert.Equal(
            new ProbeResult.Failed("/_stcore/health answered 503", UnderPressure: true) { HttpStatus = 503 },
            await prober.ProbeAsync(ProbeKind.Liveness, Sample.Container(app.Port), TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_app_that_answers_well_is_well_on_any_machine()
    {
        _pressure.Set("cpu", 100);
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("ok"));

        Assert.Null(await FindFaultAsync(app, ProbeKind.Liveness));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_prober_that_breaks_says_nothing_about_the_app()
    {
        var prober = NewProber();
        prober.Dispose();

        var result = await prober.ProbeAsync(ProbeKind.Liveness, Sample.Container(), TestCancellation);

        Assert.StartsWith("Something unexpected happened: ObjectDisposedException: ", Assert.IsType<ProbeResult.NotSent>(result).Error, StringComparison.Ordinal);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static async Task AcceptAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        await socket.ReceiveAsync(new byte[16], context.RequestAborted);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static async Task<string?> FaultAsync(HttpProber prober, ProbeKind kind, Container container, CancellationToken stopping) =>
        (await prober.ProbeAsync(kind, container, stopping) as ProbeResult.Failed)?.Error;

    private HttpProber NewProber(AgentConfig? config = null) => new(config ?? Config, _time, _pressure.Read());

    /// <summary>What is found of an app that hangs when so much time has passed at once.</summary>
    private async Task<ProbeResult> AssertTimeoutAsync(ProbeKind kind, TimeSpan passing)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });
        using var prober = NewProber();

        var probing = prober.ProbeAsync(kind, Sample.Container(app.Port), TestCancellation);
        await asked.Task.WaitAsync(TestCancellation);
        _time.Advance(passing);
        return await probing;
    }

    private async Task<string?> FindFaultAsync(TestServer app, ProbeKind kind, AgentConfig? config = null)
    {
        using var prober = NewProber(config);
        return await FaultAsync(prober, kind, Sample.Container(app.Port), TestCancellation);
    }
}
