using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Proxy;
using RagAgent.Proxy.Access;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Proxy;

/// <summary>An open front door and a visitor before it.</summary>
internal sealed class FrontDoorFixture : IAsyncDisposable
{
    private readonly FrontDoor _frontDoor;

    private FrontDoorFixture(FrontDoor frontDoor, int port, InFlightRequests inFlight)
    {
        InFlight = inFlight;
        _frontDoor = frontDoor;
        Port = port;
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    public HttpClient Client { get; }
    public int Port { get; }
    public InFlightRequests InFlight { get; }

    /// <param name="app">Whose board is told from.</param>
    /// <param name="stopping">Of the test.</param>
    /// <param name="config">Its port is not looked at; null: all defaults.</param>
    /// <param name="loggers">Null: nobody hears.</param>
    /// <param name="access">Null: everybody comes in.</param>
    /// <param name="limits">Null: those of the product.</param>
    public static async Task<FrontDoorFixture> StartAsync(SupervisorFixture app, CancellationToken stopping, AgentConfig? config = null, ILoggerFactory? loggers = null, AccessControl? access = null, ConnectionLimits? limits = null)
    {
        var port = FreePort.Find();
        var inFlight = new InFlightRequests(app.Clock.Time);
        var fixture = new FrontDoorFixture(CreateFrontDoor(app, port, inFlight, loggers: loggers, config: config, access: access, limits: limits), port, inFlight);
        await fixture._frontDoor.StartAsync(stopping);
        return fixture;
    }

    public static FrontDoor CreateFrontDoor(SupervisorFixture app, int port, InFlightRequests? inFlight = null, ActivationSockets? activation = null, ILoggerFactory? loggers = null, AgentConfig? config = null, CertificateWatch? certificates = null,
        AccessControl? access = null, ConnectionLimits? limits = null)
    {
        var effectiveConfig = config ?? new AgentConfig { Image = "app" };
        return new FrontDoor(effectiveConfig with { Listen = effectiveConfig.Listen with { Http = port } }, app.Supervisor, inFlight ?? new InFlightRequests(app.Clock.Time), app.Board, Sample.DefaultPolicy, Sample.FirstBoot(), app.Clock,
            activation ?? ActivationSockets.None, certificates ?? Sample.DisabledCertificateWatch(app.Board, app.Clock),
            access ?? new AccessControl(new AgentConfig { Image = "app" }, new PasswordFixture().Keeper, app.Clock, NullLogger<AccessControl>.Instance), limits ?? new ConnectionLimits(), loggers ?? NullLoggerFactory.Instance);
    }

    /// <summary>The reply of one that reads no pages.</summary>
    public static string JsonReply(string status, string message) => $"{{\"status\":\"{status}\",\"message\":\"{message}\"}}\n";

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _frontDoor.StopAsync(CancellationToken.None);
        _frontDoor.Dispose();
    }
}
