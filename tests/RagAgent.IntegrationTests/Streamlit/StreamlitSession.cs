using System.Net.WebSockets;
using System.Text;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>A browser's session with a Streamlit app: its WebSocket, without a page.</summary>
internal sealed class StreamlitSession : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    private static readonly byte[] RerunScript = [0x5a, 0x00];   // BackMsg.rerun_script = {}

    private readonly ClientWebSocket _socket = new();
    private readonly StringBuilder _received = new();

    /// <summary>Opens a session at the app's address, directly or through the front door. The script does not run yet.</summary>
    public static async Task<StreamlitSession> OpenAsync(Uri address, CancellationToken stopping)
    {
        var session = new StreamlitSession();
        session._socket.Options.AddSubProtocol("streamlit");
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
        var buffer = new byte[64 * 1024];
        while (!_received.ToString().Contains(text, StringComparison.Ordinal))
        {
            var result = await _socket.ReceiveAsync(buffer, timeout.Token);
            Assert.True(
                result.MessageType == WebSocketMessageType.Binary,
                $"The app closed the session before it sent '{text}'. It sent: {_received}");
            _received.Append(Encoding.UTF8.GetString(buffer, 0, result.Count));
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
