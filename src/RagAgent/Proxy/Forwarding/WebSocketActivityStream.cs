using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Passes a client's WebSocket through unchanged and detects messages in what the client sends.</summary>
/// <param name="inner">The connection to the client.</param>
/// <param name="onMessage">Called for every received part of a message, so often. Not called for pings, pongs and closes.</param>
internal sealed class WebSocketActivityStream(Stream inner, Action onMessage) : PassThroughStream(inner)
{
    private WebSocketFrameScanner _scanner;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await Inner.ReadAsync(buffer, cancellationToken);
        Scan(buffer.Span[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = Inner.Read(buffer, offset, count);
        Scan(buffer.AsSpan(offset, read));
        return read;
    }

    private void Scan(ReadOnlySpan<byte> received)
    {
        if (_scanner.Read(received))
        {
            onMessage();
        }
    }

    /// <summary>HTTP/1.1: the whole connection becomes the WebSocket.</summary>
    public sealed class UpgradeFeature(IHttpUpgradeFeature inner, Action onMessage) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => inner.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => new WebSocketActivityStream(await inner.UpgradeAsync(), onMessage);
    }

    /// <summary>HTTP/2: one stream of the connection becomes the WebSocket (RFC 8441).</summary>
    public sealed class ExtendedConnectFeature(IHttpExtendedConnectFeature inner, Action onMessage) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => inner.IsExtendedConnect;

        public string? Protocol => inner.Protocol;

        public async ValueTask<Stream> AcceptAsync() => new WebSocketActivityStream(await inner.AcceptAsync(), onMessage);
    }
}
