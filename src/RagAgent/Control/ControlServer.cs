using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>The local control socket: HTTP with JSON, readable by the agent's user and group only.</summary>
/// <remarks><c>GET /v1/status[?after=REVISION]</c> waits for news when asked to; <c>POST /v1/update</c> and its like begin what an operator wants.</remarks>
internal sealed class ControlServer(ControlAddress address, StatusWriter status, StateBoard board, ConfigInUse configInUse, PasswordHashProvider password, Supervisor supervisor, AgentClock clock, ILoggerFactory loggers) : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(25);

    private static readonly Dictionary<string, RequestKind> Asks = new()
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
        address.Claim();
        address.RemoveLeftSocket();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenUnixSocket(address.Socket);
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton(loggers);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        _server = builder.Build();
        _server.Run(AnswerAsync);
        await _server.StartAsync(cancellationToken);
        configInUse.Changed += board.Touch;
        password.Changed += board.Touch;
        File.SetUnixFileMode(address.Socket, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        configInUse.Changed -= board.Touch;
        password.Changed -= board.Touch;
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

    private Task AnswerAsync(HttpContext call) => (call.Request.Method, call.Request.Path.Value) switch
    {
        ("GET", "/v1/status") => StatusAsync(call),
        ("POST", { } path) when Asks.TryGetValue(path, out var kind) => AskAsync(call, kind),
        _ => RefuseAsync(call),
    };

    private async Task StatusAsync(HttpContext call)
    {
        if (long.TryParse(call.Request.Query["after"], out var seen))
        {
            using var patience = new CancellationTokenSource(LongestWait, clock.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(call.RequestAborted, patience.Token);
            try
            {
                await board.WaitAsync(seen, either.Token);
            }
            catch (OperationCanceledException) when (!call.RequestAborted.IsCancellationRequested)
            {
                // No news is an answer too: the caller asks again.
            }
        }
        await WriteAsync(call, status.Write(), ControlJson.Default.StatusDocument);
    }

    private async Task AskAsync(HttpContext call, RequestKind kind)
    {
        // Answered once the request is part of the state, so that the caller finds its own one there.
        var (revision, state) = board.Read();
        var before = state.Counter;
        supervisor.Post(at => new Event.Asked(at, kind));
        while (!(state.Request is { } request && request.Id > before) && !(state.LastOutcome is { } ended && ended.Id > before))
        {
            (revision, state) = await board.WaitAsync(revision, call.RequestAborted);
        }
        await WriteAsync(call, new UpdateAccepted(state.Request?.Id ?? state.LastOutcome!.Id), ControlJson.Default.UpdateAccepted);
    }

    private static Task RefuseAsync(HttpContext call)
    {
        call.Response.StatusCode = StatusCodes.Status404NotFound;
        return call.Response.WriteAsync($"There is GET /v1/status and POST to {string.Join(", ", Asks.Keys.Order(StringComparer.Ordinal))}.\n");
    }

    private static Task WriteAsync<T>(HttpContext call, T document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        call.Response.ContentType = "application/json";
        return JsonSerializer.SerializeAsync(call.Response.Body, document, type, call.RequestAborted);
    }
}
