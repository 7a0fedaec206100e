using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>The news of the page, as server-sent events: what a visitor is told, whenever it changes, until the app serves.</summary>
/// <param name="board">Where it is seen that something changed.</param>
/// <param name="noticeOf">What is told of a state.</param>
/// <param name="time">For the pauses.</param>
internal sealed class PageEvents(StateBoard board, Func<AgentState, Notice> noticeOf, TimeProvider time)
{
    /// <summary>So many listen at once: each holds a connection.</summary>
    public const int Most = 256;

    // Proxies on the way close what is silent for a minute or so.
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    // A pull tells of itself five times a second: people read no faster than this.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(500);

    private int _listeners;

    /// <summary>How many listen now.</summary>
    public int Listeners => Volatile.Read(ref _listeners);

    /// <returns>False: too many listen already, and nothing was answered.</returns>
    public async Task<bool> TellAsync(HttpContext visit, CancellationToken leaving)
    {
        if (Interlocked.Increment(ref _listeners) > Most)
        {
            Interlocked.Decrement(ref _listeners);
            return false;
        }
        try
        {
            var response = visit.Response;
            response.ContentType = "text/event-stream; charset=utf-8";
            response.Headers.CacheControl = "no-store";
            response.Headers["X-Accel-Buffering"] = "no";
            await TellAsync(response, leaving);
        }
        finally
        {
            Interlocked.Decrement(ref _listeners);
        }
        return true;
    }

    private async Task TellAsync(HttpResponse response, CancellationToken leaving)
    {
        await response.WriteAsync("retry: 2000\n\n", leaving);
        var (revision, state) = board.Read();
        var told = "";
        while (IdleStop.IsAccepted(state) || state.App is not App.Serving { Failures: 0, Container.HostPort: not null })
        {
            var news = JsonSerializer.Serialize(noticeOf(state), NoticeJson.Default.Notice);
            if (news != told)
            {
                await SendAsync(response, "notice", news, leaving);
                told = news;
                await Task.Delay(Shortest, time, leaving);
            }
            (revision, state) = await NextAsync(response, revision, leaving);
        }
        await SendAsync(response, "serves", "{}", leaving);
    }

    /// <summary>The state after this one; while there is none, the heart beats.</summary>
    private async Task<(long Revision, AgentState State)> NextAsync(HttpResponse response, long revision, CancellationToken leaving)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(leaving);
        var next = board.WaitAsync(revision, over.Token);
        try
        {
            while (await Task.WhenAny(next, Task.Delay(Heartbeat, time, over.Token)) != next)
            {
                leaving.ThrowIfCancellationRequested();
                await SendAsync(response, "beat", "{}", leaving);
            }
            return await next;
        }
        finally
        {
            await over.CancelAsync();
        }
    }

    private static async Task SendAsync(HttpResponse response, string name, string data, CancellationToken leaving)
    {
        await response.WriteAsync($"event: {name}\ndata: {data}\n\n", Encoding.UTF8, leaving);
        await response.Body.FlushAsync(leaving);
    }
}
