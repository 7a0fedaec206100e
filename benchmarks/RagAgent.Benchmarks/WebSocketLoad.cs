using System.Diagnostics;
using System.Net.WebSockets;

namespace RagAgent.Benchmarks;

/// <summary>Opens many WebSockets, each of which sends a short message ten times a second and waits for its echo.</summary>
internal static class WebSocketLoad
{
    private static readonly TimeSpan MessageInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Prints "open", waits for a line of input, runs the load and prints a histogram of the echo times: lines of <c>MICROSECONDS
    /// COUNT</c>, rounded down to tens of microseconds.
    /// </summary>
    public static async Task<int> RunAsync(Uri url, int count, TimeSpan duration)
    {
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < count; i++)
        {
            var socket = new ClientWebSocket { Options = { KeepAliveInterval = TimeSpan.Zero } };
            await socket.ConnectAsync(url, CancellationToken.None);
            sockets.Add(socket);
        }
        // The caller measures the proxy's memory while all connections are open and idle.
        Console.WriteLine("open");
        if (Console.ReadLine() is null)
        {
            return 1;
        }
        var times = await Task.WhenAll(sockets.Select((socket, i) => EchoAsync(socket, MessageInterval * i / count, duration)));
        foreach (var bucket in times.SelectMany(all => all).CountBy(time => (long)(time.TotalMicroseconds / 10) * 10))
        {
            Console.WriteLine(FormattableString.Invariant($"{bucket.Key} {bucket.Value}"));
        }
        return 0;
    }

    private static async Task<List<TimeSpan>> EchoAsync(ClientWebSocket socket, TimeSpan initialDelay, TimeSpan duration)
    {
        var times = new List<TimeSpan>();
        var buffer = new byte[128];
        var startedAt = Stopwatch.GetTimestamp();
        await Task.Delay(initialDelay, TimeProvider.System);
        while (Stopwatch.GetElapsedTime(startedAt) < duration)
        {
            var sentAt = Stopwatch.GetTimestamp();
            await socket.SendAsync(buffer.AsMemory(0, 64), WebSocketMessageType.Binary, endOfMessage: true, CancellationToken.None);
            await socket.ReceiveAsync(buffer, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(sentAt));
            await Task.Delay(MessageInterval, TimeProvider.System);
        }
        socket.Abort();
        return times;
    }
}
