using System.Net.WebSockets;

namespace RagAgent.Benchmarks;

/// <summary>The app behind the proxies: a small response (also for the agent's probes), a large one and an echoing WebSocket.</summary>
internal static class BenchmarkApp
{
    private const long LargeBodyLength = 100_000_000;
    private static readonly byte[] SmallBody = "ok"u8.ToArray();
    private static readonly byte[] Chunk = new byte[64 * 1024];

    public static async Task<int> RunAsync(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenAnyIP(port));
        builder.Services.AddRoutingCore();
        var server = builder.Build();
        server.UseWebSockets();
        server.Run(HandleAsync);
        await server.RunAsync();
        return 0;
    }

    private static Task HandleAsync(HttpContext context) => context switch
    {
        { WebSockets.IsWebSocketRequest: true } => EchoAsync(context),
        { Request.Path.Value: "/large" } => SendLargeAsync(context),
        _ => SendSmallAsync(context),
    };

    private static async Task SendSmallAsync(HttpContext context)
    {
        context.Response.ContentLength = SmallBody.Length;
        await context.Response.Body.WriteAsync(SmallBody);
    }

    private static async Task SendLargeAsync(HttpContext context)
    {
        context.Response.ContentLength = LargeBodyLength;
        for (var remaining = LargeBodyLength; remaining > 0; remaining -= Chunk.Length)
        {
            await context.Response.Body.WriteAsync(Chunk.AsMemory(0, (int)Math.Min(remaining, Chunk.Length)));
        }
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, context.RequestAborted) is { MessageType: not WebSocketMessageType.Close } received)
        {
            await socket.SendAsync(buffer.AsMemory(0, received.Count), received.MessageType, received.EndOfMessage, context.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
    }
}
