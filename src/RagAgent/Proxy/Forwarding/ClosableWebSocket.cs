using Microsoft.AspNetCore.Http.Features;
using RagAgent.Streamlit;

namespace RagAgent.Proxy.Forwarding;

/// <summary>
/// Forwards a WebSocket so that its session can be followed and closed. When the front door closes, it is closed: otherwise it would keep
/// the agent from stopping, and its page from connecting to the next agent.
/// </summary>
/// <remarks>
/// The client gets a close frame with code 1012 ("service restart"), unless the app is in the middle of a frame. Then both connections
/// end. The front door closes without waiting for the client's answer.
/// </remarks>
internal sealed class ClosableWebSocket : IAsyncDisposable
{
    // A client that doesn't read gets no close frame.
    private static readonly TimeSpan SendTimeout = TimeSpan.FromMilliseconds(300);

    // Unmasked, with a payload of two bytes.
    private static readonly byte[] ServiceRestartFrame = [0x88, 0x02, 1012 >> 8, 1012 & 0xFF];

    /// <summary>
    /// Tells Streamlit's page that its script runs. A page that believes so runs the script when it is connected again; otherwise it shows
    /// what it has until the next click.
    /// </summary>
    private static readonly byte[] RunsFrame = [0x82, (byte)StreamlitProtocol.ScriptIsRunning.Length, .. StreamlitProtocol.ScriptIsRunning];

    // Until then the connection stays: closed earlier, it might take the frames with it.
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _registration;
    private readonly TimeProvider _time;
    private readonly HttpContext _context;
    private readonly SessionTracker _tracker;
    private readonly Lock _lock = new();
    private Task? _closing;
    private bool _isDisposed;
    private ClosableWebSocketStream? _stream;

    /// <param name="context">A request for a WebSocket.</param>
    /// <param name="tracker">Sees what passes.</param>
    /// <param name="time">Measures how long the client may take to read the close frame.</param>
    /// <param name="stopping">Fires when the front door closes.</param>
    public ClosableWebSocket(HttpContext context, SessionTracker tracker, TimeProvider time, CancellationToken stopping)
    {
        _context = context;
        _tracker = tracker;
        _time = time;
        if (context.Features.Get<IHttpUpgradeFeature>() is { } upgrade)
        {
            context.Features.Set<IHttpUpgradeFeature>(new UpgradeFeature(upgrade, this));
        }
        if (context.Features.Get<IHttpExtendedConnectFeature>() is { } connect)
        {
            context.Features.Set<IHttpExtendedConnectFeature>(new ExtendedConnectFeature(connect, this));
        }
        _registration = stopping.UnsafeRegister(static socket => _ = ((ClosableWebSocket)socket!).CloseAsync(), this);
    }

    /// <summary>Fires when it is to end. Cancels the forwarding.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Called when the forwarding has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        _ended.SetResult();
        await _registration.DisposeAsync();
        Task? closing;
        lock (_lock)
        {
            (closing, _isDisposed) = (_closing, true);
        }
        await (closing ?? Task.CompletedTask);
        _closed.Dispose();
    }

    /// <summary>Closes it, unless it is being closed already. Never throws.</summary>
    public Task CloseAsync() => CloseOnceAsync(runsScript: false, answerTimeout: TimeSpan.Zero);

    /// <summary>Closes a Streamlit session, so that its page connects again. A client that doesn't read is not waited for.</summary>
    /// <param name="runsScript">Whether the page then runs the script, and so shows what the container that serves then has.</param>
    public Task MoveAsync(bool runsScript) => CloseOnceAsync(runsScript, AnswerTimeout);

    private Task CloseOnceAsync(bool runsScript, TimeSpan answerTimeout)
    {
        lock (_lock)
        {
            return _isDisposed ? Task.CompletedTask : _closing ??= SendCloseAsync(runsScript, answerTimeout);
        }
    }

    private async Task SendCloseAsync(bool runsScript, TimeSpan answerTimeout)
    {
        if (Volatile.Read(ref _stream) is { } stream)
        {
            using var timeout = new CancellationTokenSource(SendTimeout, _time);
            if (await stream.SendLastAsync(runsScript ? RunsFrame : default, ServiceRestartFrame, timeout.Token))
            {
                // The answer goes to the app, which then ends the connection.
                await Task.WhenAny(_ended.Task, Task.Delay(answerTimeout, _time));
            }
        }
        await _closed.CancelAsync();
    }

    private ClosableWebSocketStream Wrap(Stream client)
    {
        _tracker.Accept(_context);
        var stream = new ClosableWebSocketStream(client, _tracker);
        Volatile.Write(ref _stream, stream);
        return stream;
    }

    /// <summary>HTTP/1.1: the whole connection becomes the WebSocket.</summary>
    private sealed class UpgradeFeature(IHttpUpgradeFeature inner, ClosableWebSocket socket) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => socket.Wrap(await inner.UpgradeAsync());
    }

    /// <summary>HTTP/2: one stream of the connection becomes the WebSocket (RFC 8441).</summary>
    private sealed class ExtendedConnectFeature(IHttpExtendedConnectFeature inner, ClosableWebSocket socket) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => inner.IsExtendedConnect;

        public string? Protocol => inner.Protocol;

        public async ValueTask<Stream> AcceptAsync() => socket.Wrap(await inner.AcceptAsync());
    }
}
