using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using RagAgent.Common;

namespace RagAgent.Proxy.Listening;

/// <summary>Closes connections, whatever their protocol, whose client sends nothing at first or stops receiving.</summary>
/// <remarks>Runs before TLS, because it is about the bytes on the wire.</remarks>
internal static class ConnectionTimeouts
{
    // tcp(7), TCP_USER_TIMEOUT: it also covers a peer that is alive but receives nothing.
    private const int TcpProtocol = 6;
    private const int TcpUserTimeout = 18;
    private const int KeepAliveSeconds = 60;

    /// <param name="next">Serves a connection that has sent its first byte.</param>
    /// <param name="limits">How long a client may take.</param>
    /// <param name="time">Measures the wait for the first byte.</param>
    public static ConnectionDelegate Wrap(ConnectionDelegate next, ClientLimits limits, TimeProvider time) => async connection =>
    {
        DetectDeadPeer(connection, limits.StallTimeout);
        if (await WaitForFirstByteAsync(connection, limits.FirstByteTimeout, time))
        {
            await next(connection);
        }
    };

    /// <summary>
    /// Left to the kernel, which also sees data that the server considers sent. A WebSocket has no timeout of its own, so a quiet
    /// connection is probed.
    /// </summary>
    private static void DetectDeadPeer(ConnectionContext connection, TimeSpan timeout)
    {
        try
        {
            var socket = connection.Features.Get<IConnectionSocketFeature>()?.Socket;
            socket?.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, optionValue: true);
            socket?.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket?.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds);
            socket?.SetRawSocketOption(TcpProtocol, TcpUserTimeout, BitConverter.GetBytes((int)timeout.TotalMilliseconds));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            return;   // already closed
        }
    }

    private static async Task<bool> WaitForFirstByteAsync(ConnectionContext connection, TimeSpan timeout, TimeProvider time)
    {
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        using var expiry = new LinkedTimeout(timeout, time, lifetime?.ConnectionClosedRequested ?? CancellationToken.None);
        try
        {
            var first = await connection.Transport.Input.ReadAsync(expiry.Token);
            connection.Transport.Input.AdvanceTo(first.Buffer.Start);   // consumes nothing
            return !first.Buffer.IsEmpty;
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            return false;
        }
    }
}
