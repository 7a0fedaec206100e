using System.Runtime.CompilerServices;

namespace RagAgent.Proxy.Forwarding;

/// <summary>Passes a client's WebSocket through unchanged, until one last frame of the agent's own ends it.</summary>
/// <param name="inner">The connection to the client.</param>
/// <param name="tracker">Sees everything that passes.</param>
internal sealed class ClosableWebSocketStream(Stream inner, SessionTracker tracker) : PassThroughStream(inner)
{
    private readonly SemaphoreSlim _writing = new(1);
    private bool _isClosed;

    /// <summary>
    /// Sends frames and drops everything that the app sends from now on. In the middle of the app's frame it sends nothing.
    /// </summary>
    /// <param name="message">A whole frame with a message of its own, left out in the middle of the app's message. May be empty.</param>
    /// <param name="close">A whole control frame.</param>
    /// <param name="stopping">Gives up: the client doesn't read. Not an error.</param>
    /// <returns>Whether the frames were sent.</returns>
    public async Task<bool> SendLastAsync(ReadOnlyMemory<byte> message, ReadOnlyMemory<byte> close, CancellationToken stopping)
    {
        try
        {
            await _writing.WaitAsync(stopping);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
        try
        {
            _isClosed = true;
            if (!tracker.IsBetweenFrames)
            {
                return false;
            }
            if (tracker.IsBetweenMessages && !message.IsEmpty)
            {
                await Inner.WriteAsync(message, stopping);
            }
            await Inner.WriteAsync(close, stopping);
            await Inner.FlushAsync(stopping);
            return true;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or ObjectDisposedException)
        {
            return false;   // the client has gone or doesn't read
        }
        finally
        {
            _writing.Release();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await Inner.ReadAsync(buffer, cancellationToken);
        tracker.ReadFromClient(buffer.Span[..read]);
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            if (!_isClosed)
            {
                tracker.ReadFromApp(buffer.Span);
                await Inner.WriteAsync(buffer, cancellationToken);
            }
        }
        finally
        {
            _writing.Release();
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
