using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Proxy;
using RagAgent.Proxy.Access;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;
using RagAgent.Tests.Bench;

namespace RagAgent.Tests.Proxy;

/// <summary>An open front door and a visitor before it.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly FrontDoor _door;

    private Visit(FrontDoor door, int port, InFlightRequests visits)
    {
        Visits = visits;
        _door = door;
        Port = port;
        Browser = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    public HttpClient Browser { get; }
    public int Port { get; }
    public InFlightRequests Visits { get; }

    /// <param name="app">Whose board is told from.</param>
    /// <param name="stopping">Of the test.</param>
    /// <param name="config">Its port is not looked at; null: all defaults.</param>
    /// <param name="loggers">Null: nobody hears.</param>
    /// <param name="access">Null: everybody comes in.</param>
    /// <param name="limits">Null: those of the product.</param>
    public static async Task<Visit> AtAsync(SupervisedApp app, CancellationToken stopping, AgentConfig? config = null, ILoggerFactory? loggers = null, AccessControl? access = null, ConnectionLimits? limits = null)
    {
        var port = FreePort.Take();
        var visits = new InFlightRequests(app.Clock.Time);
        var visit = new Visit(Door(app, port, visits, loggers: loggers, config: config, access: access, limits: limits), port, visits);
        await visit._door.StartAsync(stopping);
        return visit;
    }

    public static FrontDoor Door(SupervisedApp app, int port, InFlightRequests? visits = null, ActivationSockets? activation = null, ILoggerFactory? loggers = null, AgentConfig? config = null, CertificateWatch? certificates = null,
        AccessControl? access = null, ConnectionLimits? limits = null)
    {
        var given = config ?? new AgentConfig { Image = "app" };
        return new FrontDoor(given with { Listen = given.Listen with { Http = port } }, app.Supervisor, visits ?? new InFlightRequests(app.Clock.Time), app.Board, Told.Policy, Told.Boot(), app.Clock,
            activation ?? ActivationSockets.None, certificates ?? Told.NoCertificates(app.Board, app.Clock),
            access ?? new AccessControl(new AgentConfig { Image = "app" }, new Password().Keeper, app.Clock, NullLogger<AccessControl>.Instance), limits ?? new ConnectionLimits(), loggers ?? NullLoggerFactory.Instance);
    }

    /// <summary>The reply of one that reads no pages.</summary>
    public static string Says(string status, string message) => $"{{\"status\":\"{status}\",\"message\":\"{message}\"}}\n";

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        await _door.StopAsync(CancellationToken.None);
        _door.Dispose();
    }
}
