using System.Text;
using RagAgent.Common;
using RagAgent.Streamlit;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Follows one session in both directions: whose it is, and when a person, or work that a person began, last used it.</summary>
/// <remarks>
/// A session whose messages can't be read is opaque: every message of its client counts as a person's.
/// See docs/decisions/0024-activity-means-people.md.
/// </remarks>
/// <param name="clock">Dates what happens.</param>
/// <param name="onActivity">Called when it is used, with the time of its last use before. Must neither block nor throw.</param>
/// <param name="onOpaqueChanged">Called when <see cref="IsOpaque"/> has changed. Must neither block nor throw.</param>
internal sealed class SessionTracker(AgentClock clock, Action<Moment> onActivity, Action onOpaqueChanged)
{
    private const string StreamPath = "/_stcore/stream";
    private const int MaxSessionIdLength = 100;

    private readonly PersonalRun _run = new();
    private readonly WebSocketMessageReader _fromBrowser = new();
    private readonly WebSocketMessageReader _fromApp = new();
    private readonly Lock _lock = new();
    private volatile bool _isOpaque = true;
    private volatile string? _sessionId;
    private bool _isReconnected;
    private long _lastActivity;   // ticks since the agent's start, which counts as activity

    public Moment OpenedAt { get; } = clock.Now;

    /// <summary>It is not Streamlit's, can't be read, or its handshake isn't over.</summary>
    public bool IsOpaque => _isOpaque;

    /// <summary>The ID that Streamlit gave the session, which is part of the addresses of uploads; null: not known yet.</summary>
    public string? SessionId => _sessionId;

    /// <summary>At least the agent's start: what happened before it isn't known.</summary>
    public Moment LastActivity => new(TimeSpan.FromTicks(Volatile.Read(ref _lastActivity)));

    /// <summary>The app is not in the middle of a frame: a control frame can be sent.</summary>
    /// <remarks>Asked by the one who sends the app's messages on, or while they are held up.</remarks>
    public bool IsBetweenFrames => _fromApp.IsBetweenFrames;

    /// <summary>The app is not in the middle of a message: another one can be sent. Asked as <see cref="IsBetweenFrames"/>.</summary>
    public bool IsBetweenMessages => _fromApp.IsBetweenMessages;

    /// <summary>The app has accepted the handshake.</summary>
    public void Accept(HttpContext context)
    {
        var protocols = context.Request.Headers.GetCommaSeparatedValues("Sec-WebSocket-Protocol");
        // Streamlit's page asks for the protocol, and appends a token and the session that it had.
        _isReconnected = protocols is [_, _, { Length: > 0 }, ..];
        SetOpaque(context.Request.Path.Value?.EndsWith(StreamPath, StringComparison.Ordinal) != true ||
            context.Response.Headers.SecWebSocketProtocol != StreamlitProtocol.SubProtocol ||
            context.Response.Headers.SecWebSocketExtensions.Count > 0);
    }

    /// <summary>Must get every byte that the client sends, before the app gets it.</summary>
    public void ReadFromClient(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var part = _fromBrowser.Read(ref bytes);
            switch (part.Kind)
            {
                case WebSocketPartKind.Control:
                    continue;
                case WebSocketPartKind.Message when !_isOpaque:
                    Handle(BrowserMessages.Read(part.Message));
                    break;
                case WebSocketPartKind.TooLong when !_isOpaque:
                    Handle(BrowserMessage.Rerun);
                    break;
                case WebSocketPartKind.Unreadable:
                    SetOpaque(true);
                    break;
            }
            if (_isOpaque)
            {
                Used();
            }
            _fromBrowser.Trim();
        }
    }

    /// <summary>Must get every byte that the app sends.</summary>
    public void ReadFromApp(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var part = _fromApp.Read(ref bytes);
            if (part.Kind == WebSocketPartKind.Control || _isOpaque)
            {
                continue;
            }
            if (part.Kind == WebSocketPartKind.Unreadable)
            {
                SetOpaque(true);
                continue;
            }
            if (IsRunOfPerson())
            {
                Used();
            }
            if (part.Kind == WebSocketPartKind.Message)
            {
                Handle(RunMessage.Read(part.Message));
                _fromApp.Trim();
            }
        }
    }

    private void Handle(BrowserMessage message)
    {
        if (message == BrowserMessage.Unreadable)
        {
            SetOpaque(true);
            return;
        }
        if (message == BrowserMessage.Automatic)
        {
            return;
        }
        lock (_lock)
        {
            // After it reconnects, a page reruns the script without being asked.
            var isByPage = message == BrowserMessage.AutomaticRerun || (message == BrowserMessage.Rerun && _isReconnected);
            _isReconnected = false;
            if (isByPage)
            {
                _run.RequestedByPage();
                return;
            }
            if (message == BrowserMessage.Rerun)
            {
                _run.RequestedByPerson(clock.Now);
            }
        }
        Used();
    }

    private void Handle(RunMessage message)
    {
        switch (message.Kind)
        {
            case RunMessageKind.Unreadable:
                SetOpaque(true);
                break;
            case RunMessageKind.Began when message.SessionId.Length is > 0 and <= MaxSessionIdLength:
                _sessionId ??= Encoding.UTF8.GetString(message.SessionId);
                break;
            case RunMessageKind.Ended:
                lock (_lock)
                {
                    _run.Ended(message.Status);
                }
                break;
        }
    }

    private void SetOpaque(bool isOpaque)
    {
        if (_isOpaque != isOpaque)
        {
            _isOpaque = isOpaque;
            onOpaqueChanged();
        }
    }

    private bool IsRunOfPerson()
    {
        lock (_lock)
        {
            return _run.Counts(clock.Now);
        }
    }

    private void Used()
    {
        var before = LastActivity;
        Volatile.Write(ref _lastActivity, clock.Now.SinceStart.Ticks);
        onActivity(before);
    }
}
