using System.Net.WebSockets;
using RagAgent.Streamlit;

namespace RagAgent.Health.Sessions;

/// <summary>Reads the messages of a session. However large they are, it keeps only the beginning of one.</summary>
internal sealed class SessionReader(WebSocket socket)
{
    // A large message is a data frame or the like. What a verdict needs is at the beginning.
    private readonly byte[] _beginning = new byte[64 * 1024];
    private readonly byte[] _rest = new byte[16 * 1024];

    /// <summary>Bytes received so far.</summary>
    public long Length { get; private set; }

    /// <returns>Null once the app has closed the session.</returns>
    /// <exception cref="WebSocketException">The connection broke, or the app sent what no WebSocket may send.</exception>
    public async Task<SessionMessage?> NextAsync(CancellationToken stopping)
    {
        var kept = 0;
        while (true)
        {
            var free = kept < _beginning.Length ? _beginning.AsMemory(kept) : _rest;
            var received = await socket.ReceiveAsync(free, stopping);
            Length += received.Count;
            kept += kept < _beginning.Length ? received.Count : 0;
            if (received.MessageType == WebSocketMessageType.Close)
            {
                return null;
            }
            if (received.EndOfMessage)
            {
                // Streamlit sends no text.
                var isBinary = received.MessageType == WebSocketMessageType.Binary;
                return new SessionMessage(isBinary ? StreamlitMessage.Parse(_beginning.AsSpan(0, kept)) : null);
            }
            if (Length > SessionProbe.MaxLength)
            {
                return new SessionMessage(null);
            }
        }
    }
}

/// <param name="Content">Null if it was not understood.</param>
internal readonly record struct SessionMessage(StreamlitMessage? Content);
