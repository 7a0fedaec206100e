using System.Net;
using System.Net.Sockets;

namespace RagAgent.Tests.Support;

internal static class FreePort
{
    /// <summary>A port that nobody listens on, below those that the kernel gives out by itself.</summary>
    public static int Find()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Any, Random.Shared.Next(20_000, 30_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                continue;   // taken: another one
            }
        }
    }
}
