namespace RagAgent.Proxy.Forwarding;

/// <summary>Passes a client's WebSocket through unchanged, until one last frame of the agent's own ends it.</summary>
/// <param name="inner">The connection to the client.</param>
internal sealed class ClosableWebSocketStream(Stream inner) : Stream
{
    private readonly SemaphoreSlim _writing = new(1);
    private WebSocketFrameScanner _scanner;
    private bool _isClosed;

    public override bool CanRead => inner.CanRead;
    public override bool CanWrite => inner.CanWrite;
    public override bool CanSeek => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>
    /// Sends a frame and drops everything that the app sends from now on. In the middle of the app's frame it sends nothing.
    /// </summary>
    /// <param name="frame">The whole frame.</param>
    /// <param name="stopping">Gives up: the client doesn't read. Not an error.</param>
    public async Task SendLastAsync(ReadOnlyMemory<byte> frame, CancellationToken stopping)
    {
        try
        {
            await _writing.WaitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        try
        {
            _isClosed = true;
            if (_scanner.IsBetweenFrames)
            {
                await inner.WriteAsync(frame, stopping);
                await inner.FlushAsync(stopping);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return;   // the client has gone or doesn't read
        }
        finally
        {
            _writing.Release();
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!_isClosed)
            {
                _scanner.Read(buffer.Span);
                await inner.WriteAsync(buffer, cancellationToken);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.ReadAsync(buffer, cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.ReadAsync(buffer, offset, count, cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

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
}
