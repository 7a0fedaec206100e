using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace LocalAws;

/// <summary>Serves one handler on one loopback address.</summary>
internal sealed class Listener : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Listener(WebApplication app) => _app = app;

    /// <summary>The address with the actual port.</summary>
    public IPEndPoint EndPoint { get; private set; } = null!;

    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<Listener> StartAsync(
        IPEndPoint endPoint, RequestDelegate handler, CancellationToken stopping, X509Certificate2? certificate = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        // The program handles signals, not each listener.
        builder.Services.AddSingleton<IHostLifetime, NoOpLifetime>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(1));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(endPoint, listen =>
            {
                if (certificate is not null)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        // A flush waits until the buffer is empty, so everything written before a fault cuts the connection has been sent. (For the
        // transport, 0 means "no limit" and it resumes at half, so 2 is the minimum.)
        builder.WebHost.UseSockets(sockets => sockets.MaxWriteBufferSize = 2);
        if (certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        var listener = new Listener(builder.Build());
        try
        {
            listener._app.Run(context => HandleAsync(context, handler));
            await listener._app.StartAsync(stopping);
            var addresses = listener._app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
            listener.EndPoint = new IPEndPoint(endPoint.Address, new Uri(addresses.Addresses.Single()).Port);
            return listener;
        }
        catch
        {
            await listener.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private static async Task HandleAsync(HttpContext context, RequestDelegate handler)
    {
        try
        {
            await handler(context);
        }
        catch (OperationCanceledException)
        {
            // The client left, or a fault cut the connection. A partial response must not look complete.
            context.Abort();
        }
    }

    private sealed class NoOpLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken stopping) => Task.CompletedTask;

        public Task StopAsync(CancellationToken stopping) => Task.CompletedTask;
    }
}
