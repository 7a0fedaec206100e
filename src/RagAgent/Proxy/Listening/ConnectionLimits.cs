using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace RagAgent.Proxy.Listening;

/// <summary>What one visitor may take, so that there is room for the others. Docs: decision 0015.</summary>
internal sealed record ConnectionLimits
{
    /// <summary>Connections at once, sessions among them. Far more than one small instance's app can serve.</summary>
    public int MaxConnections { get; init; } = FileDescriptorLimit.CapConnections(connections: 4096);

    /// <summary>From the connection to its first byte. A browser that opens one ahead gives it up sooner.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the first byte of a request to the end of its headers.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>From one request to the next on the same connection. Longer than the load balancers in front wait (ALB 60 s, CloudFront up to 120 s): they must be the ones who close, or a request of theirs meets a closing door.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>An upload that has come in slower than <see cref="UploadBytesPerSecond"/> since its beginning is cut, but not before this. A phone in a tunnel lives.</summary>
    public TimeSpan UploadGrace { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Below the worst line on which a person would wait; a thousand times what who only wants to hold a place would send.</summary>
    public double UploadBytesPerSecond { get; init; } = 50;

    /// <summary>A connection whose peer takes nothing of what is there for it is cut after this. A download that is paused for a while lives. As long as the forwarder waits for something to move.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>An answer that is taken slower than this, with <see cref="StallTimeout"/> to spare, ends its connection. For HTTP/2: there the kernel does not see who takes nothing, for the connection lives and its pings are answered. Docs: decision 0015.</summary>
    public double ResponseBytesPerSecond { get; init; } = 1024;

    /// <summary>In bytes. Streamlit's own server and browsers' cookies need less.</summary>
    public int MaxHeadersSize { get; init; } = 32 * 1024;

    public int MaxHeaderCount { get; init; } = 100;

    /// <summary>In bytes. Streamlit keeps a page's state in the address; browsers and load balancers stop at about this.</summary>
    public int MaxRequestLineSize { get; init; } = 8 * 1024;

    /// <summary>What is kept in memory for one connection while the app is slower than the visitor, in bytes, and the other way round. Kestrel's own megabyte, times all connections, is more than a small instance has.</summary>
    public int MaxBufferSize { get; init; } = 64 * 1024;

    /// <summary>Requests at once on one connection of HTTP/2.</summary>
    public int MaxStreams { get; init; } = 100;

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
        limits.MaxRequestBodySize = null;   // how large an upload may be is the app's business
        limits.MinRequestBodyDataRate = new MinDataRate(UploadBytesPerSecond, UploadGrace);
        limits.MinResponseDataRate = new MinDataRate(ResponseBytesPerSecond, StallTimeout);
        limits.Http2.MaxStreamsPerConnection = MaxStreams;
        limits.Http2.MaxRequestHeaderFieldSize = MaxHeadersSize;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
