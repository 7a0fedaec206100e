using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Proxy;
using RagAgent.Supervision;
using RagAgent.Tests.Bench;

namespace RagAgent.Tests.Proxy;

/// <summary>An open front door and a visitor before it.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly FrontDoor _door;

    private Visit(FrontDoor door, int port, Visits visits)
    {
        Visits = visits;
        _door = door;
        Port = port;
        Browser = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { BaseAddress = new Uri($"http://127.0.0.1:{port}/") };
    }

    public HttpClient Browser { get; }
    public int Port { get; }
    public Visits Visits { get; }

    public static async Task<Visit> AtAsync(SupervisedApp app, CancellationToken stopping, AccessControl? access = null, DoorLimits? limits = null, ILoggerFactory? loggers = null)
    {
        var port = FreePort.Take();
        var visits = new Visits(app.Clock.Time);
        var visit = new Visit(Door(app, port, visits, null, loggers, access, limits), port, visits);
        await visit._door.StartAsync(stopping);
        return visit;
    }

    public static FrontDoor Door(SupervisedApp app, int port, Visits? visits = null, ActivationSockets? activation = null, ILoggerFactory? loggers = null,
        AccessControl? access = null, DoorLimits? limits = null) => new(
        new AgentConfig { Image = "app", Listen = new ListenConfig { Http = port } },
        app.Supervisor, visits ?? new Visits(app.Clock.Time), app.Board, Told.Policy, app.Clock, activation ?? ActivationSockets.None,
        access ?? new AccessControl(new AgentConfig { Image = "app" }, new Password().Keeper, app.Clock), limits ?? new DoorLimits(), loggers ?? NullLoggerFactory.Instance);

    public async ValueTask DisposeAsync()
    {
        Browser.Dispose();
        await _door.StopAsync(CancellationToken.None);
        _door.Dispose();
    }
}
