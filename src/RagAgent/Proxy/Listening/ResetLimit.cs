using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace RagAgent.Proxy.Listening;

/// <summary>Ends an HTTP/2 connection whose client sends requests and cancels them again and again ("rapid reset", CVE-2023-44487).</summary>
/// <remarks>
/// Kestrel's own limit comes too late. Its output queue for cancelled streams can overflow first: Kestrel then logs a critical error for each stream that doesn't fit,
/// and may wait for these streams forever, so that the connection keeps its place. Resets above the limit therefore never reach Kestrel.
/// Put after TLS, because it reads frames.
/// </remarks>
internal static class ResetLimit
{
    private static ReadOnlySpan<byte> Http2 => "h2"u8;

    public static ConnectionDelegate Apply(ConnectionDelegate next, ClientLimits limits, TimeProvider time) => async connection =>
    {
        if (connection.Features.Get<ITlsApplicationProtocolFeature>() is not { } tls || !tls.ApplicationProtocol.Span.SequenceEqual(Http2))
        {
            await next(connection);
            return;
        }
        var transport = connection.Transport;
        var resets = new ResetCounter(limits.Resets, limits.ResetWindow, time);
        connection.Transport = new CountedTransport(transport, new CountedInput(transport.Input, resets, connection));
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    private sealed class CountedTransport(IDuplexPipe inner, PipeReader input) : IDuplexPipe
    {
        public PipeReader Input => input;
        public PipeWriter Output => inner.Output;
    }

    /// <summary>Counts bytes before anyone else sees them. A buffer that goes over the limit is never handed on.</summary>
    private sealed class CountedInput(PipeReader inner, ResetCounter resets, ConnectionContext connection) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;
        private long _counted;   // bytes at the start of the unconsumed input that were counted in an earlier read

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
            Count(await inner.ReadAsync(cancellationToken));

        public override bool TryRead(out ReadResult result)
        {
            if (!inner.TryRead(out result))
            {
                return false;
            }
            Count(result);
            return true;
        }

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            _counted -= _buffer.Slice(0, consumed).Length;
            _buffer = default;
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        private ReadResult Count(ReadResult read)
        {
            _buffer = read.Buffer;
            foreach (var piece in _buffer.Slice(_counted))
            {
                if (!resets.Read(piece.Span))
                {
                    var reason = new ConnectionAbortedException("The client cancelled too many requests.");
                    connection.Abort(reason);
                    throw reason;
                }
            }
            _counted = _buffer.Length;
            return read;
        }
    }
}
