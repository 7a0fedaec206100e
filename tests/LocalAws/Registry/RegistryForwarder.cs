using Yarp.ReverseProxy.Forwarder;

namespace LocalAws.Registry;

/// <summary>Forwards a request to the registry and streams both bodies.</summary>
internal sealed class RegistryForwarder(IHttpForwarder forwarder, DistributionRegistry registry)
{
    private static readonly ForwarderRequestConfig Config = new()
    {
        // A throttled blob takes long. This limits only the time between two pieces.
        ActivityTimeout = TimeSpan.FromMinutes(10),
        AllowResponseBuffering = false,
    };

    /// <param name="context">The request.</param>
    /// <param name="path">The path with its query.</param>
    /// <param name="notFound">Replaces a 404 of the registry; null to keep it.</param>
    public async Task SendAsync(HttpContext context, string path, RegistryError? notFound = null) =>
        await forwarder.SendAsync(context, DistributionRegistry.BaseAddress, registry.Client, Config, new Transformer(path, notFound));

    public async Task<bool> ExistsAsync(string path, CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, DistributionRegistry.BaseAddress + path);
        using var response = await registry.Client.SendAsync(request, stopping);
        return response.IsSuccessStatusCode;
    }

    private sealed class Transformer(string path, RegistryError? notFound) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext context, HttpRequestMessage request, string destinationPrefix, CancellationToken stopping)
        {
            await base.TransformRequestAsync(context, request, destinationPrefix, stopping);
            request.RequestUri = new Uri(destinationPrefix + path);
            // The registry builds its Location headers from the Host header, so with ours they lead back here.
            request.Headers.Host = context.Request.Host.Value;
            request.Headers.Authorization = null;
        }

        public override async ValueTask<bool> TransformResponseAsync(
            HttpContext context, HttpResponseMessage? response, CancellationToken stopping)
        {
            if (notFound is null || response is not { StatusCode: System.Net.HttpStatusCode.NotFound })
            {
                return await base.TransformResponseAsync(context, response, stopping);
            }

            await notFound.WriteAsync(context);
            return false;
        }
    }
}
