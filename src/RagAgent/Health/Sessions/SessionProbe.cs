using System.Net.WebSockets;
using RagAgent.Common;
using RagAgent.Containers.AppLogs;

namespace RagAgent.Health.Sessions;

/// <summary>Runs one session of a Streamlit app, as a browser that opens the page: the script runs once from start to end.</summary>
internal sealed class SessionProbe(UncaughtExceptionLog exceptions, TimeProvider time)
{
    // An app that sends more has shown enough.
    public const long MaxLength = 512_000_000;

    // Streamlit answers at once, before the script's first line runs.
    private static readonly TimeSpan FirstMessageTimeout = TimeSpan.FromSeconds(30);

    // The log takes another way than the messages.
    private static readonly TimeSpan EvidenceTimeout = TimeSpan.FromSeconds(2);

    // BackMsg { rerun_script {} }: what a browser sends when it opens the page.
    private static readonly byte[] RerunMessage = [0x5A, 0x00];

    /// <summary>Runs the script and reads until its end.</summary>
    /// <param name="socket">Connected. The caller closes it.</param>
    /// <param name="containerId">Whose log tells uncaught exceptions from those that the app shows on purpose.</param>
    /// <param name="limit">How long the run may take.</param>
    /// <param name="stopping">Cancels the session.</param>
    public async Task<SessionVerdict> RunAsync(WebSocket socket, string containerId, TimeSpan limit, CancellationToken stopping)
    {
        var before = exceptions.Find(containerId) ?? UncaughtExceptions.None;
        var transcript = new SessionTranscript();
        var end = await ReadAsync(socket, transcript, containerId, before, limit, stopping);
        if (transcript.NeedsLog)
        {
            await WaitForLogAsync(containerId, before, stopping);
        }
        exceptions.ExcludeFromVisitors(containerId);
        return end is { } known ? transcript.Judge(known, Since(containerId, before)) : new SessionVerdict.Unreadable();
    }

    /// <returns>Null if the app sends what no WebSocket may send, such as compressed frames that nobody asked for.</returns>
    private async Task<SessionEnd?> ReadAsync(
        WebSocket socket,
        SessionTranscript transcript,
        string containerId,
        UncaughtExceptions before,
        TimeSpan limit,
        CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(limit, time, stopping);
        using var firstMessage = new LinkedTimeout(FirstMessageTimeout, time, timeout.Token);
        try
        {
            await socket.SendAsync(RerunMessage, WebSocketMessageType.Binary, endOfMessage: true, timeout.Token);
            var reader = new SessionReader(socket);
            for (var read = reader.NextAsync(firstMessage.Token); ; read = reader.NextAsync(timeout.Token))
            {
                while (!read.IsCompleted)
                {
                    var logChange = exceptions.NextChange;
                    if (Since(containerId, before) is { IsInScriptThread: true })
                    {
                        return SessionEnd.Finished;
                    }
                    await Task.WhenAny(read, logChange);
                }
                if (await read is not { } message)
                {
                    return SessionEnd.Closed;
                }
                transcript.Add(message.Content);
                if (transcript.HasEnded)
                {
                    return SessionEnd.Finished;
                }
                if (transcript.IsUnderstood == false || reader.Length > MaxLength)
                {
                    return SessionEnd.LengthLimit;
                }
                if (transcript.AwaitsCompileError)
                {
                    timeout.Restart(EvidenceTimeout);
                }
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return SessionEnd.TimeLimit;
        }
        catch (WebSocketException exception)
        {
            // A token that is canceled between two reads breaks the connection, so that the next read fails in this way.
            stopping.ThrowIfCancellationRequested();
            if (timeout.HasExpired)
            {
                return SessionEnd.TimeLimit;
            }
            return exception.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely ? SessionEnd.Closed : null;
        }
    }

    private async Task WaitForLogAsync(string containerId, UncaughtExceptions before, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(EvidenceTimeout, time, stopping);
        try
        {
            while (true)
            {
                var change = exceptions.NextChange;
                if (Since(containerId, before) is { Count: > 0, LastLine: not null })
                {
                    return;
                }
                await change.WaitAsync(timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return;   // it has logged nothing: the exception is shown on purpose
        }
    }

    private UncaughtSince? Since(string containerId, UncaughtExceptions before) => exceptions.Find(containerId) is { } now
        ? new UncaughtSince(now.Count - before.Count, now.InScriptThread > before.InScriptThread, now.LastLine)
        : null;
}
