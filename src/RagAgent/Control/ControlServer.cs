using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RagAgent.Common;
using RagAgent.Reporting;
using RagAgent.Secrets;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Control;

/// <summary>Serves HTTP with JSON on the local control socket, which only the agent's user and group may use.</summary>
/// <remarks>
/// <c>GET /v1/status</c> answers at once; with <c>?after=REVISION</c> it waits until the revision differs.
/// <c>POST /v1/update</c> and its like start an operator's request.
/// </remarks>
internal sealed class ControlServer(
    ControlSocketLock controlSocket,
    StatusWriter status,
    StateFeed feed,
    ConfigInUse configInUse,
    PasswordHashProvider password,
    Supervisor supervisor,
    AgentClock clock,
    ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private const UnixFileMode UserAndGroup =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(25);

    private static readonly Dictionary<string, RequestKind> RequestRoutes = new()
    {
        ["/v1/update"] = RequestKind.Update,
        ["/v1/rollback"] = RequestKind.Rollback,
        ["/v1/unquarantine"] = RequestKind.Unquarantine,
        ["/v1/stop"] = RequestKind.Stop,
        ["/v1/start"] = RequestKind.Start,
    };

    private WebApplication? _server;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        controlSocket.Acquire();
        controlSocket.RemoveStaleSocket();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(controlSocket.SocketPath);
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(1));
        _server = builder.Build();
        _server.Run(HandleAsync);
        await _server.StartAsync(cancellationToken);
        configInUse.Changed += feed.Touch;
        password.Changed += feed.Touch;
        File.SetUnixFileMode(controlSocket.SocketPath, UserAndGroup);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        configInUse.Changed -= feed.Touch;
        password.Changed -= feed.Touch;
        if (_server is not null)
        {
            await _server.StopAsync(CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET", "/v1/status") => HandleStatusAsync(context),
        ("POST", { } path) when RequestRoutes.TryGetValue(path, out var kind) => HandleRequestAsync(context, kind),
        _ => WriteNotFoundAsync(context),
    };

    private async Task HandleStatusAsync(HttpContext context)
    {
        if (long.TryParse(context.Request.Query["after"], out var knownRevision))
        {
            using var timeout = new LinkedTimeout(MaxWait, clock.Time, context.RequestAborted);
            try
            {
                await feed.WaitAsync(knownRevision, timeout.Token);
            }
            catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
            {
                // Nothing changed in time. The caller asks again.
            }
        }
        await WriteJsonAsync(context, status.Build(), ControlJson.Default.StatusDocument);
    }

    private async Task HandleRequestAsync(HttpContext context, RequestKind kind)
    {
        // Answers once the request is part of the state, so that the caller finds it there.
        var (revision, state) = feed.Read();
        var before = state.LastOperation;
        supervisor.Post(at => new Event.OperatorRequested(at, kind));
        while (!(state.Requests.Current?.Id > before) && !(state.Requests.LastOutcome?.Id > before))
        {
            (revision, state) = await feed.WaitAsync(revision, context.RequestAborted);
        }
        var accepted = new UpdateAccepted(state.Requests.Current?.Id ?? state.Requests.LastOutcome!.Id);
        await WriteJsonAsync(context, accepted, ControlJson.Default.UpdateAccepted);
    }

    private static Task WriteNotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        var routes = string.Join(", ", RequestRoutes.Keys.Order(StringComparer.Ordinal));
        return context.Response.WriteAsync($"Available: GET /v1/status, and POST to {routes}.\n");
    }

    private static Task WriteJsonAsync<T>(HttpContext context, T document, JsonTypeInfo<T> type)
    {
        context.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(context.Response.Body, document, type, context.RequestAborted);
    }
}
