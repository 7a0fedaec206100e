using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Health;
using RagAgent.Health.Sessions;
using RagAgent.Secrets;
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
    public async Task A_successful_answer_passes(string kind)
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("ok"));

        Assert.Null(await FindFaultAsync(app, Enum.Parse<ProbeKind>(kind)));
        Assert.Equal("GET /_stcore/health", Assert.Single(app.Requests).ToString());
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(503)]
    [InlineData(404)]
    [InlineData(302)]
    public async Task Any_other_status_fails(int status)
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
    public async Task A_refused_connection_fails()
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
    public async Task A_hanging_app_fails_at_the_timeout(string kind, int timeout, string fault)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });

        var probing = FindFaultAsync(app, Enum.Parse<ProbeKind>(kind));
        await asked.Task.WaitAsync(TestCancellation);
        _time.Advance(TimeSpan.FromSeconds(timeout) - TimeSpan.FromMilliseconds(1));
        Assert.False(probing.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(fault, await probing);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_gate_makes_a_WebSocket_handshake_like_a_browser()
    {
        await using var app = await TestServer.StartAsync(AcceptAsync);

        Assert.Null(await FindFaultAsync(app, ProbeKind.Gate));
        var handshake = Assert.Single(app.Requests);
        Assert.Equal("GET /_stcore/stream", handshake.ToString());
        Assert.Equal(
            ("streamlit", $"http://{app.Authority}", app.Authority),
            (handshake.Headers["Sec-WebSocket-Protocol"], handshake.Headers["Origin"], handshake.Headers["Host"]));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_handshake_fails()
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });

        Assert.Equal(
            "/_stcore/stream refused a WebSocket: The server returned status code '403' when status code '101' was expected",
            await FindFaultAsync(app, ProbeKind.Gate));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_gate_makes_no_handshake_if_its_path_fails()
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
    public async Task A_gate_without_checks_passes()
    {
        var config = Config with { Health = new HealthConfig { Gate = new GateConfig { WebSocket = null } } };
        await using var app = await TestServer.StartAsync(_ => Task.CompletedTask);

        Assert.Null(await FindFaultAsync(app, ProbeKind.Gate, config));
        Assert.Empty(app.Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_container_without_a_port_fails()
    {
        using var prober = NewProber();

        Assert.Equal(
            "the engine published no port for it",
            await FaultAsync(prober, ProbeKind.Startup, Sample.Container(port: null), TestCancellation));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup")]
    [InlineData("Gate")]
    public async Task A_cancelled_probe_says_nothing_about_the_app(string kind)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });
        using var prober = NewProber();
        using var stop = new CancellationTokenSource();

        var probing = prober.ProbeAsync(Enum.Parse<ProbeKind>(kind), Sample.Container(app.Port), sessionLimit: null, stop.Token);
        await asked.Task.WaitAsync(TestCancellation);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => probing);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_answer_that_is_not_HTTP_fails()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync(TestCancellation);
            await client.GetStream().WriteAsync("SSH-2.0-OpenSSH\r\n\r\n"u8.ToArray(), TestCancellation);
        }, TestCancellation);
        using var prober = NewProber();

        var fault = await FaultAsync(
            prober, ProbeKind.Startup, Sample.Container(((System.Net.IPEndPoint)listener.LocalEndpoint).Port), TestCancellation);

        await answering;
        Assert.StartsWith("/_stcore/health did not answer: ", fault, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("Startup", 5)]
    [InlineData("Liveness", 10)]
    [InlineData("Gate", 5)]
    public async Task A_timeout_that_fires_far_too_late_means_that_the_agent_did_not_run(string kind, int timeout)
    {
        var result = await ProbeHangingAppAsync(Enum.Parse<ProbeKind>(kind), TimeSpan.FromSeconds(timeout + 30));

        Assert.Equal(new ProbeResult.NotSent("the agent itself did not run for 30s"), result);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_timeout_that_fires_a_little_late_fails() =>
        Assert.Equal(
            new ProbeResult.Failed("/_stcore/health did not answer within 10s", UnderPressure: false),
            await ProbeHangingAppAsync(ProbeKind.Liveness, TimeSpan.FromSeconds(11)));

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_timeout_under_pressure_names_the_shortage()
    {
        _pressure.Set("cpu", 83.5);

        Assert.Equal(
            new ProbeResult.Failed(
                "/_stcore/health did not answer within 10s while the machine is short of processor time", UnderPressure: true),
            await ProbeHangingAppAsync(ProbeKind.Liveness, TimeSpan.FromSeconds(10)));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Another_failure_under_pressure_is_flagged_and_keeps_its_message()
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
            await prober.ProbeAsync(ProbeKind.Liveness, Sample.Container(app.Port), sessionLimit: null, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_successful_answer_passes_under_pressure()
    {
        _pressure.Set("cpu", 100);
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("ok"));

        Assert.Null(await FindFaultAsync(app, ProbeKind.Liveness));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_exception_in_the_prober_says_nothing_about_the_app()
    {
        var prober = NewProber();
        prober.Dispose();

        var result = await prober.ProbeAsync(ProbeKind.Liveness, Sample.Container(), sessionLimit: null, TestCancellation);

        Assert.StartsWith(
            "An unexpected error occurred: ObjectDisposedException: ",
            Assert.IsType<ProbeResult.NotSent>(result).Error,
            StringComparison.Ordinal);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static async Task AcceptAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        await socket.ReceiveAsync(new byte[16], context.RequestAborted);
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }

    private static async Task<string?> FaultAsync(HttpProber prober, ProbeKind kind, Container container, CancellationToken stopping) =>
        (await prober.ProbeAsync(kind, container, sessionLimit: null, stopping) as ProbeResult.Failed)?.Error;

    private HttpProber NewProber(AgentConfig? config = null) =>
        new(config ?? Config, new SessionProbe(new UncaughtExceptionLog(), _time), new SecretVault(), _time, _pressure.Read());

    /// <summary>Probes a hanging app, and lets this much time pass at once.</summary>
    private async Task<ProbeResult> ProbeHangingAppAsync(ProbeKind kind, TimeSpan passing)
    {
        var asked = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
        {
            asked.TrySetResult();
            return TestServer.HangAsync(context);
        });
        using var prober = NewProber();

        var probing = prober.ProbeAsync(kind, Sample.Container(app.Port), sessionLimit: null, TestCancellation);
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
