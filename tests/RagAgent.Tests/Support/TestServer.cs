using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace RagAgent.Tests.Support;

/// <summary>An HTTP server on a free loopback port, whose responses a test provides.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<ReceivedRequest> _requests = new();

    private TestServer(WebApplication server) => _server = server;

    public Uri Address { get; private set; } = new("http://127.0.0.1");
    public int Port => Address.Port;
    public string Authority => Address.Authority;
    public IReadOnlyList<ReceivedRequest> Requests => [.. _requests];

    public static async Task<TestServer> StartAsync(RequestDelegate handler, bool record = true)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            // If a test sees a cut connection, the agent cut it and not this server.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
        });
        // A request that hangs on purpose must not delay the end of the test.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(20));
        var server = new TestServer(builder.Build());
        server._server.UseWebSockets();
        server._server.Run(async context =>
        {
            if (record)
            {
                await server.RecordAsync(context);
            }
            await handler(context);
        });
        await server._server.StartAsync();
        server.Address = new Uri(server._server.Urls.Single());
        return server;
    }

    /// <summary>Accepts a WebSocket and sends back what it receives, until either side ends it.</summary>
    public static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        var buffer = new byte[100];
        try
        {
            var received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            while (received.MessageType != WebSocketMessageType.Close)
            {
                await socket.SendAsync(
                    buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
                received = await socket.ReceiveAsync(buffer, context.RequestAborted);
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the client or the agent ended the connection, as the test intends
        }
    }

    /// <summary>Sends nothing until the client disconnects.</summary>
    public static async Task HangAsync(HttpContext context)
    {
        var gone = new TaskCompletionSource();
        await using var registration = context.RequestAborted.Register(gone.SetResult);
        await gone.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync();
        await _server.DisposeAsync();
    }

    private async Task RecordAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var body = await reader.ReadToEndAsync();
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _requests.Enqueue(
            new ReceivedRequest(context.Request.Method, context.Request.Path + context.Request.QueryString.Value, headers, body));
    }
}
