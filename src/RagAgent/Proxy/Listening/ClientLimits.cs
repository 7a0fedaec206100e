using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RagAgent.Proxy.Listening;

/// <summary>What one client may use, so that there is room for the others. Docs: decision 0015.</summary>
internal sealed record ClientLimits
{
    /// <summary>Concurrent connections, WebSockets included. Far more than the app on one small instance can serve.</summary>
    public int MaxConnections { get; init; } = ConnectionCapacity.CapConnections(connections: 4096);

    /// <summary>From the connection to its first byte. Browsers close a connection opened in advance sooner than this.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the first byte of a request to the end of its headers.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>
    /// From one request to the next on a connection.
    /// Longer than load balancers in front wait (ALB 60 s, CloudFront up to 120 s): they must be the side that closes,
    /// or they send a request on a connection that is just being closed.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// After this, an upload is cut if its average since the beginning is below <see cref="UploadBytesPerSecond"/>.
    /// Long enough for a phone that loses its connection in a tunnel.
    /// </summary>
    public TimeSpan UploadGrace { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// The lowest average rate of an upload.
    /// Below the worst line that a person would put up with, and a thousand times what a slow-loris attack sends.
    /// </summary>
    public double UploadBytesPerSecond { get; init; } = 50;

    /// <summary>
    /// How long a client may receive nothing while data waits for it.
    /// Long enough for a download that is paused for a while; the same as the forwarder's activity timeout.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The lowest average rate of a response, after <see cref="StallTimeout"/> as grace.
    /// Needed for HTTP/2: there the kernel can't see a stalled stream, because the connection stays alive and answers pings.
    /// Docs: decision 0015.
    /// </summary>
    public double ResponseBytesPerSecond { get; init; } = 1024;

    /// <summary>In bytes. Streamlit's own server and browsers' cookies need less.</summary>
    public int MaxHeadersSize { get; init; } = 32 * 1024;

    public int MaxHeaderCount { get; init; } = 100;

    /// <summary>In bytes. Streamlit keeps a page's state in the URL; browsers and load balancers stop at about this size.</summary>
    public int MaxRequestLineSize { get; init; } = 8 * 1024;

    /// <summary>
    /// Buffered bytes per connection and direction while one side is slower than the other.
    /// Kestrel's default of one megabyte, times all connections, is more memory than a small instance has.
    /// </summary>
    public int MaxBufferSize { get; init; } = 64 * 1024;

    /// <summary>Concurrent requests on one HTTP/2 connection.</summary>
    public int MaxStreams { get; init; } = 100;

    /// <summary>
    /// Requests that a client may cancel within <see cref="ResetWindow"/> on one connection of HTTP/2.
    /// A browser that leaves a page cancels at most <see cref="MaxStreams"/> at once.
    /// Kestrel's output queue has room for <see cref="MaxStreams"/> cancelled requests beside as many open ones.
    /// </summary>
    public int Resets { get; init; } = 100;

    public TimeSpan ResetWindow { get; init; } = TimeSpan.FromSeconds(10);

    public void ApplyTo(KestrelServerLimits limits)
    {
        limits.MaxConcurrentConnections = MaxConnections;
        limits.MaxConcurrentUpgradedConnections = MaxConnections;
        limits.RequestHeadersTimeout = HeadersTimeout;
        limits.KeepAliveTimeout = KeepAliveTimeout;
        limits.MaxRequestHeadersTotalSize = MaxHeadersSize;
        limits.MaxRequestHeaderCount = MaxHeaderCount;
        limits.MaxRequestLineSize = MaxRequestLineSize;
        limits.MaxRequestBufferSize = MaxBufferSize;
        limits.MaxResponseBufferSize = MaxBufferSize;
        limits.MaxRequestBodySize = null;   // the app decides how large an upload may be
        limits.MinRequestBodyDataRate = new MinDataRate(UploadBytesPerSecond, UploadGrace);
        limits.MinResponseDataRate = new MinDataRate(ResponseBytesPerSecond, StallTimeout);
        limits.Http2.MaxStreamsPerConnection = MaxStreams;
        limits.Http2.MaxRequestHeaderFieldSize = MaxHeadersSize;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
