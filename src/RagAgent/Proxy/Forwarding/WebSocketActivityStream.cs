using Microsoft.AspNetCore.Http.Features;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Passes a client's WebSocket through unchanged and detects messages in what the client sends.</summary>
/// <param name="inner">The connection to the client.</param>
/// <param name="onMessage">Called for every received part of a message, so often. Not called for pings, pongs and closes.</param>
internal sealed class WebSocketActivityStream(Stream inner, Action onMessage) : Stream
{
    private WebSocketFrameScanner _scanner;

    public override bool CanRead => inner.CanRead;
    public override bool CanWrite => inner.CanWrite;
    public override bool CanSeek => false;
    public override bool CanTimeout => inner.CanTimeout;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int ReadTimeout { get => inner.ReadTimeout; set => inner.ReadTimeout = value; }
    public override int WriteTimeout { get => inner.WriteTimeout; set => inner.WriteTimeout = value; }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await inner.ReadAsync(buffer, cancellationToken);
        Scan(buffer.Span[..read]);
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        var read = inner.Read(buffer, offset, count);
        Scan(buffer.AsSpan(offset, read));
        return read;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(buffer, offset, count, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }
        base.Dispose(disposing);
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
