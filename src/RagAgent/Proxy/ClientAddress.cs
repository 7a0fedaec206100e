using System.Net;

namespace RagAgent.Proxy;

internal static class ClientAddress
{
    /// <summary>
    /// One socket listens for both IPv4 and IPv6, and shows an IPv4 client under an IPv6 address (<c>::ffff:192.0.2.1</c>).
    /// This undoes that.
    /// </summary>
    public static IPAddress? Of(HttpContext context) =>
        context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.RemoteIpAddress;
}
