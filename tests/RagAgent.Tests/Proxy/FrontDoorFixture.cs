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

/// <summary>An open front door and a client for it.</summary>
internal sealed class FrontDoorFixture : IAsyncDisposable
{
    private readonly FrontDoor _frontDoor;

    private FrontDoorFixture(FrontDoor frontDoor, int port, InFlightRequests inFlight)
    {
        InFlight = inFlight;
        _frontDoor = frontDoor;
        Port = port;
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{port}/"),
        };
    }

    public HttpClient Client { get; }
    public int Port { get; }
    public InFlightRequests InFlight { get; }

    /// <param name="app">Provides the state.</param>
    /// <param name="stopping">Ends the test.</param>
    /// <param name="config">Its port is ignored. Null: all defaults.</param>
    /// <param name="loggers">Null: no logs.</param>
    /// <param name="access">Null: unrestricted.</param>
    /// <param name="limits">Null: the product's defaults.</param>
    public static async Task<FrontDoorFixture> StartAsync(
        SupervisorFixture app,
        CancellationToken stopping,
        AgentConfig? config = null,
        ILoggerFactory? loggers = null,
        AccessControl? access = null,
        ClientLimits? limits = null)
    {
        var port = FreePort.Find();
        var inFlight = new InFlightRequests(app.Clock, Sample.DefaultPolicy);
        var frontDoor = CreateFrontDoor(app, port, inFlight, loggers: loggers, config: config, access: access, limits: limits);
        var fixture = new FrontDoorFixture(frontDoor, port, inFlight);
        await fixture._frontDoor.StartAsync(stopping);
        return fixture;
    }

    public static FrontDoor CreateFrontDoor(
        SupervisorFixture app,
        int port,
        InFlightRequests? inFlight = null,
        ActivationSockets? activation = null,
        ILoggerFactory? loggers = null,
        AgentConfig? config = null,
        CertificateWatch? certificates = null,
        AccessControl? access = null,
        ClientLimits? limits = null)
    {
        config ??= new AgentConfig { Image = "app" };
        config = config with { Listen = config.Listen with { Http = port } };
        inFlight ??= new InFlightRequests(app.Clock, Sample.DefaultPolicy);
        certificates ??= Sample.DisabledCertificateWatch(app.Board, app.Clock);
        access ??= new AccessControl(
            new AgentConfig { Image = "app" }, new PasswordFixture().Keeper, app.Clock, NullLogger<AccessControl>.Instance);
        loggers ??= NullLoggerFactory.Instance;
        var pipeline = new RequestPipeline(
            config, app.Board, Sample.DefaultPolicy, Sample.FirstBoot(), app.Clock, inFlight, certificates, access, loggers);
        var server = new FrontDoorServer(
            config, activation ?? ActivationSockets.None, limits ?? new ClientLimits(), certificates, pipeline, app.Clock, loggers);
        return new FrontDoor(
            config, Sample.DefaultPolicy, app.Supervisor, inFlight, certificates, access, server, app.Clock,
            loggers.CreateLogger<FrontDoor>());
    }

    /// <summary>The JSON that a client gets if it doesn't accept HTML.</summary>
    public static string JsonReply(string status, string message) => $"{{\"status\":\"{status}\",\"message\":\"{message}\"}}\n";

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _frontDoor.StopAsync(CancellationToken.None);
        _frontDoor.Dispose();
    }
}
