namespace LocalAws.Faults;

/// <summary>A response body that is sent slowly, or is cut together with the connection.</summary>
internal sealed class FaultyResponseStream(
    Stream inner, HttpContext context, long? cutAfter, long? bytesPerSecond, TimeProvider clock) : Stream
{
    private long _sent;

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken stopping = default)
    {
        while (buffer.Length > 0)
        {
            var length = (int)Math.Min(buffer.Length, bytesPerSecond is { } speed ? Math.Max(1, speed / WritesPerSecond) : buffer.Length);
            if (cutAfter is { } cut && _sent + length >= cut)
            {
                await inner.WriteAsync(buffer[..(int)(cut - _sent)], stopping);
                await inner.FlushAsync(stopping);
                context.Abort();
                throw new OperationCanceledException($"A fault cut the connection after {cut} bytes.");
            }
            await inner.WriteAsync(buffer[..length], stopping);
            _sent += length;
            buffer = buffer[length..];
            if (bytesPerSecond is not { } pace)
            {
                continue;
            }

            await inner.FlushAsync(stopping);
            await Task.Delay(TimeSpan.FromSeconds((double)length / pace), clock, stopping);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken stopping) =>
        WriteAsync(buffer.AsMemory(offset, count), stopping).AsTask();

    public override Task FlushAsync(CancellationToken stopping) => inner.FlushAsync(stopping);

    public override bool CanRead => false;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Responses are written asynchronously.");
    public override void Flush() => throw new NotSupportedException("Responses are written asynchronously.");

    // Often enough for a smooth progress bar, rarely enough to cost nothing.
    private const int WritesPerSecond = 20;
}
