using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace RagAgent.Proxy.Listening;

/// <summary>What holds for a connection whatever is spoken on it: that something is said, and that what is sent is taken.</summary>
/// <remarks>Put before TLS: it is about the bytes on the wire.</remarks>
internal static class ConnectionGuard
{
    // tcp(7), TCP_USER_TIMEOUT: also of a peer that is there and takes nothing.
    private const int TcpProtocol = 6;
    private const int TcpUserTimeout = 18;

    /// <param name="next">What serves a connection that has said something.</param>
    /// <param name="limits">How long each may take.</param>
    /// <param name="time">What the first byte is waited for with.</param>
    public static ConnectionDelegate Wrap(ConnectionDelegate next, ConnectionLimits limits, TimeProvider time) => async connection =>
    {
        SetUserTimeout(connection, limits.StallTimeout);
        if (await WaitForFirstByteAsync(connection, limits.FirstByteTimeout, time))
        {
            await next(connection);
        }
    };

    /// <summary>Left to the kernel, for it also knows of what the server believes to be sent.</summary>
    private static void SetUserTimeout(ConnectionContext connection, TimeSpan timeout)
    {
        try
        {
            connection.Features.Get<IConnectionSocketFeature>()?.Socket.SetRawSocketOption(TcpProtocol, TcpUserTimeout, BitConverter.GetBytes((int)timeout.TotalMilliseconds));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return;   // it has gone already
        }
    }

    private static async Task<bool> WaitForFirstByteAsync(ConnectionContext connection, TimeSpan timeout, TimeProvider time)
    {
        using var expiry = new CancellationTokenSource(timeout, time);
        var closing = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(expiry.Token, closing);
        try
        {
            var first = await connection.Transport.Input.ReadAsync(linked.Token);
            connection.Transport.Input.AdvanceTo(first.Buffer.Start);   // left for who serves it
            return !first.Buffer.IsEmpty;
        }
        catch (Exception exception) when (exception is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            return false;
        }
    }
}
