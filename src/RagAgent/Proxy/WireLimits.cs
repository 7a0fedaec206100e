using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace RagAgent.Proxy;

/// <summary>What holds for a connection whatever is spoken on it: that something is said, and that what is sent is taken.</summary>
/// <remarks>Put before TLS: it is about the bytes on the wire.</remarks>
internal static class WireLimits
{
    // tcp(7), TCP_USER_TIMEOUT: also of a peer that is there and takes nothing.
    private const int Tcp = 6;
    private const int UserTimeout = 18;

    /// <param name="next">What serves a connection that has said something.</param>
    /// <param name="limits">How long each may take.</param>
    /// <param name="time">What the first byte is waited for with.</param>
    public static ConnectionDelegate Apply(ConnectionDelegate next, DoorLimits limits, TimeProvider time) => async connection =>
    {
        GiveUpOnWhoTakesNothing(connection, limits.Standstill);
        if (await HasSpokenAsync(connection, limits.FirstByte, time))
        {
            await next(connection);
        }
    };

    /// <summary>Left to the kernel, for it also knows of what the server believes to be sent.</summary>
    private static void GiveUpOnWhoTakesNothing(ConnectionContext connection, TimeSpan after)
    {
        try
        {
            connection.Features.Get<IConnectionSocketFeature>()?.Socket.SetRawSocketOption(Tcp, UserTimeout, BitConverter.GetBytes((int)after.TotalMilliseconds));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return;   // it has gone already
        }
    }

    private static async Task<bool> HasSpokenAsync(ConnectionContext connection, TimeSpan patience, TimeProvider time)
    {
        using var over = new CancellationTokenSource(patience, time);
        var doorCloses = connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? CancellationToken.None;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, doorCloses);
        try
        {
            var first = await connection.Transport.Input.ReadAsync(either.Token);
            connection.Transport.Input.AdvanceTo(first.Buffer.Start);   // left for who serves it
            return !first.Buffer.IsEmpty;
        }
        catch (Exception e) when (e is OperationCanceledException or ConnectionResetException or ConnectionAbortedException)
        {
            return false;
        }
    }
}
