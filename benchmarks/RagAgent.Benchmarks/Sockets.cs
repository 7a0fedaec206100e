using System.Diagnostics;
using System.Net.WebSockets;

namespace RagAgent.Benchmarks;

/// <summary>Many WebSockets, each of which sends a short message ten times a second and waits for its echo.</summary>
internal static class Sockets
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Prints how long the echoes took: lines of <c>MICROSECONDS COUNT</c>, by tens of microseconds.</summary>
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
        foreach (var some in all.SelectMany(one => one).CountBy(took => (long)(took.TotalMicroseconds / 10) * 10))
        {
            Console.WriteLine(FormattableString.Invariant($"{some.Key} {some.Value}"));
        }
        return 0;
    }

    private static async Task<List<TimeSpan>> EchoAsync(ClientWebSocket socket, TimeSpan first, TimeSpan span)
    {
        var times = new List<TimeSpan>();
        var buffer = new byte[128];
        var began = Stopwatch.GetTimestamp();
        await Task.Delay(first, TimeProvider.System);
        while (Stopwatch.GetElapsedTime(began) < span)
        {
            var sent = Stopwatch.GetTimestamp();
            await socket.SendAsync(buffer.AsMemory(0, 64), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await socket.ReceiveAsync(buffer, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(sent));
            await Task.Delay(Pause, TimeProvider.System);
        }
        socket.Abort();
        return times;
    }
}
