using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>A browser's session with a Streamlit app: its WebSocket, without a page.</summary>
internal sealed partial class StreamlitSession : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly byte[] RerunScript = [0x5a, 0x00];   // BackMsg.rerun_script = {}

    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _received = new();

    /// <summary>The session's ID; known after the first run.</summary>
    public string Id => SessionId().Match(_received.ToString()).Value;

    /// <summary>The last message before the session was closed.</summary>
    public byte[] LastMessage { get; private set; } = [];

    /// <summary>The one before <see cref="LastMessage"/>.</summary>
    public byte[] MessageBefore { get; private set; } = [];

    /// <summary>Opens a session at the app's address, directly or through the front door. The script does not run yet.</summary>
    /// <param name="address">Of the app.</param>
    /// <param name="stopping">Ends the test.</param>
    /// <param name="previous">The session that a page had before it lost the connection.</param>
    public static async Task<StreamlitSession> OpenAsync(Uri address, CancellationToken stopping, string? previous = null)
    {
        var session = new StreamlitSession();
        foreach (var protocol in previous is null ? ["streamlit"] : (string[])["streamlit", "none", previous])
        {
            session._socket.Options.AddSubProtocol(protocol);
        }
        session._socket.Options.SetRequestHeader("Origin", address.GetLeftPart(UriPartial.Authority));
        session._socket.Options.Proxy = null;
        await session._socket.ConnectAsync(new UriBuilder(new Uri(address, "_stcore/stream")) { Scheme = "ws" }.Uri, stopping);
        return session;
    }

    /// <summary>Runs the script, as a page does when it opens.</summary>
    public Task RunAsync(CancellationToken stopping) =>
        _socket.SendAsync(RerunScript, WebSocketMessageType.Binary, endOfMessage: true, stopping);

    /// <summary>Reads until a message contains the text. A test fails if the app closes the session before that.</summary>
    public async Task WaitForTextAsync(string text, CancellationToken stopping)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        timeout.CancelAfter(Timeout);
        while (!_received.ToString().Contains(text, StringComparison.Ordinal))
        {
            Assert.True(
                await ReceiveAsync(timeout.Token), $"The app closed the session before it sent '{text}'. It sent: {_received}");
        }
    }

    /// <summary>Forgets what was received, so that <see cref="WaitForTextAsync"/> waits for something new.</summary>
    public void Forget() => _received.Clear();

    /// <summary>The code of the close frame; null while the session is open.</summary>
    public int? CloseCode => (int?)_socket.CloseStatus;

    /// <summary>Reads until the session is closed, and answers as a browser does.</summary>
    public async Task WaitForCloseAsync(CancellationToken stopping)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        timeout.CancelAfter(Timeout);
        while (await ReceiveAsync(timeout.Token))
        {
        }
        await _socket.CloseOutputAsync(_socket.CloseStatus!.Value, null, stopping);
    }

    /// <summary>The path of a file that the app shows or offers, from the last run.</summary>
    public string MediaPath(string extension) =>
        Regex.Match(_received.ToString(), $@"/media/[0-9a-f]+\.{extension}").Value is { Length: > 0 } path
            ? path
            : throw new InvalidOperationException($"The app has sent no {extension}.");

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <returns>False if the session was closed.</returns>
    private async Task<bool> ReceiveAsync(CancellationToken stopping)
    {
        var buffer = new byte[64 * 1024];
        var result = await _socket.ReceiveAsync(buffer, stopping);
        if (result.MessageType != WebSocketMessageType.Binary)
        {
            return false;
        }
        MessageBefore = LastMessage;
        LastMessage = buffer[..result.Count];
        _received.Append(Encoding.UTF8.GetString(LastMessage));
        return true;
    }

    [GeneratedRegex(@"(?<=2\$)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")]
    private static partial Regex SessionId();
}
