using System.Net;
using System.Net.Sockets;

namespace RagAgent.Tests.Support;

internal static class FreePort
{
    /// <summary>A free port below the kernel's ephemeral range, so that no other connection takes it in the meantime.</summary>
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
                continue;   // taken
            }
        }
    }
}
