using System.Diagnostics;
using System.Net.WebSockets;

namespace RagAgent.Bench;

/// <summary>Many WebSockets, each of which sends a short message ten times a second and waits for its echo.</summary>
internal static class Sockets
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Prints <c>p50 p99 worst</c> in milliseconds and the number of echoes.</summary>
    public static async Task<int> RunAsync(Uri url, int count, TimeSpan span)
    {
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < count; i++)
        {
            var socket = new ClientWebSocket { Options = { KeepAliveInterval = TimeSpan.Zero } };
            await socket.ConnectAsync(url, CancellationToken.None);
            sockets.Add(socket);
        }
        // All are open: now is the time to look at the proxy's memory.
        Console.WriteLine("open");
        if (Console.ReadLine() is null)
        {
            return 1;
        }
        var all = await Task.WhenAll(sockets.Select((socket, i) => EchoAsync(socket, Pause * i / count, span)));
        var sorted = all.SelectMany(one => one).Order().ToArray();
        double At(double part) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
        Console.WriteLine(FormattableString.Invariant($"{At(0.5):0.00} {At(0.99):0.00} {sorted[^1]:0.00} {sorted.Length}"));
        return 0;
    }

    private static async Task<List<double>> EchoAsync(ClientWebSocket socket, TimeSpan first, TimeSpan span)
    {
        var times = new List<double>();
        var buffer = new byte[128];
        var began = Stopwatch.GetTimestamp();
        await Task.Delay(first, TimeProvider.System);
        while (Stopwatch.GetElapsedTime(began) < span)
        {
            var sent = Stopwatch.GetTimestamp();
            await socket.SendAsync(buffer.AsMemory(0, 64), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await socket.ReceiveAsync(buffer, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
            await Task.Delay(Pause, TimeProvider.System);
        }
        socket.Abort();
        return times;
    }
}
