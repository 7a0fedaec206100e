using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A forward proxy as companies run it: clients send it absolute URLs, which it records.</summary>
internal sealed class HttpForwardProxy : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly ConcurrentQueue<string> _requestedHosts = new();
    private readonly HttpMessageInvoker _out = new(
        new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false });

    private HttpForwardProxy()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.Services.AddLogging().AddHttpForwarder();
        _server = builder.Build();
        var forwarder = _server.Services.GetRequiredService<IHttpForwarder>();
        _server.Run(async context =>
        {
            var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            _requestedHosts.Enqueue(target);
            var origin = new Uri(target).GetLeftPart(UriPartial.Authority);
            await forwarder.SendAsync(context, origin, _out, ForwarderRequestConfig.Empty, KeepHostTransformer.Instance);
        });
    }

    public Uri Address =>
        new(_server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    /// <summary>Every URL that a client requested.</summary>
    public IReadOnlyCollection<string> RequestedHosts => _requestedHosts;

    public static async Task<HttpForwardProxy> StartAsync()
    {
        var proxy = new HttpForwardProxy();
        await proxy._server.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _out.Dispose();
    }

    /// <summary>AWS signatures cover the Host header, so it must arrive as it was sent.</summary>
    private sealed class KeepHostTransformer : HttpTransformer
    {
        public static KeepHostTransformer Instance { get; } = new();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            proxyRequest.Headers.Host = httpContext.Request.Host.Value;
        }
    }
}
