using System.Text;
using System.Text.Json;
using RagAgent.Reporting;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Proxy.StatusPage;

/// <summary>The status page's updates as server-sent events: the page's content whenever it changes, until the app serves.</summary>
/// <param name="feed">The agent's state.</param>
/// <param name="modelOf">What the page shows for a state.</param>
/// <param name="time">Measures the pauses.</param>
internal sealed class StatusPageEvents(StateFeed feed, Func<AgentState, StatusPageModel> modelOf, TimeProvider time)
{
    /// <summary>The maximum number of listeners: each holds a connection.</summary>
    public const int MaxListeners = 256;

    // Proxies on the way close a connection that is silent for about a minute.
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromSeconds(15);

    // A pull reports progress five times a second, faster than people read.
    private static readonly TimeSpan MinInterval = TimeSpan.FromMilliseconds(500);

    private int _listeners;

    public int Listeners => Volatile.Read(ref _listeners);

    /// <returns>False if there are too many listeners; then nothing was sent.</returns>
    public async Task<bool> StreamAsync(HttpContext context, CancellationToken aborted)
    {
        if (Interlocked.Increment(ref _listeners) > MaxListeners)
        {
            Interlocked.Decrement(ref _listeners);
            return false;
        }
        try
        {
            var response = context.Response;
            response.ContentType = "text/event-stream; charset=utf-8";
            response.Headers.CacheControl = "no-store";
            response.Headers["X-Accel-Buffering"] = "no";
            await StreamAsync(response, aborted);
        }
        finally
        {
            Interlocked.Decrement(ref _listeners);
        }
        return true;
    }

    private async Task StreamAsync(HttpResponse response, CancellationToken aborted)
    {
        await response.WriteAsync("retry: 2000\n\n", aborted);
        var (revision, state) = feed.Read();
        var lastSent = "";
        while (IdleStop.IsAccepted(state) || state.Front is not ContainerState.Serving { Failures: 0, Container.HostPort: not null })
        {
            var json = JsonSerializer.Serialize(modelOf(state), StatusPageJson.Default.StatusPageModel);
            if (json != lastSent)
            {
                await SendAsync(response, "notice", json, aborted);
                lastSent = json;
                await Task.Delay(MinInterval, time, aborted);
            }
            (revision, state) = await WaitForNextAsync(response, revision, aborted);
        }
        await SendAsync(response, "serves", "{}", aborted);
    }

    /// <summary>Waits for the next state and sends heartbeats meanwhile.</summary>
    private async Task<(long Revision, AgentState State)> WaitForNextAsync(HttpResponse response, long revision, CancellationToken aborted)
    {
        using var waitCancellation = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        var next = feed.WaitAsync(revision, waitCancellation.Token);
        try
        {
            while (await Task.WhenAny(next, Task.Delay(HeartbeatInterval, time, waitCancellation.Token)) != next)
            {
                aborted.ThrowIfCancellationRequested();
                await SendAsync(response, "beat", "{}", aborted);
            }
            return await next;
        }
        finally
        {
            await waitCancellation.CancelAsync();
        }
    }

    private static async Task SendAsync(HttpResponse response, string name, string data, CancellationToken aborted)
    {
        await response.WriteAsync($"event: {name}\ndata: {data}\n\n", Encoding.UTF8, aborted);
        await response.Body.FlushAsync(aborted);
    }
}
