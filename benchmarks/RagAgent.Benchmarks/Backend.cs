using System.Net.WebSockets;

namespace RagAgent.Benchmarks;

/// <summary>The app behind the proxies: a small answer, a large one, a WebSocket that echoes, and what the agent's probes ask for.</summary>
internal static class Backend
{
    private const long Large = 100_000_000;
    private static readonly byte[] Small = "ok"u8.ToArray();
    private static readonly byte[] Piece = new byte[64 * 1024];

    public static async Task<int> RunAsync(int port)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenAnyIP(port));
        builder.Services.AddRoutingCore();
        var server = builder.Build();
        server.UseWebSockets();
        server.Run(AnswerAsync);
        await server.RunAsync();
        return 0;
    }

    private static Task AnswerAsync(HttpContext visit) => visit switch
    {
        { WebSockets.IsWebSocketRequest: true } => EchoAsync(visit),
        { Request.Path.Value: "/large" } => SendLargeAsync(visit),
        _ => SendSmallAsync(visit),
    };

    private static async Task SendSmallAsync(HttpContext visit)
    {
        visit.Response.ContentLength = Small.Length;
        await visit.Response.Body.WriteAsync(Small);
    }

    private static async Task SendLargeAsync(HttpContext visit)
    {
        visit.Response.ContentLength = Large;
        for (var left = Large; left > 0; left -= Piece.Length)
        {
            await visit.Response.Body.WriteAsync(Piece.AsMemory(0, (int)Math.Min(left, Piece.Length)));
        }
    }

    private static async Task EchoAsync(HttpContext visit)
    {
        using var socket = await visit.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[4096];
        while (await socket.ReceiveAsync(buffer, visit.RequestAborted) is { MessageType: not WebSocketMessageType.Close } got)
        {
            await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, got.EndOfMessage, visit.RequestAborted);
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, visit.RequestAborted);
    }
}
