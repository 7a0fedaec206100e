using System.Net.Security;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;

namespace RagAgent.Proxy;

/// <summary>Builds the front door's HTTP server: its ports, limits and TLS.</summary>
internal sealed class FrontDoorServer(
    AgentConfig config,
    ActivationSockets activation,
    ClientLimits limits,
    CertificateWatch certificates,
    RequestPipeline pipeline,
    AgentClock clock,
    ILoggerFactory loggers)
{
    /// <summary>Ports that systemd activated, but the configuration doesn't use.</summary>
    public IEnumerable<int> UnusedActivatedPorts =>
        activation.Ports.Where(port => port != config.Listen.Http && port != config.Listen.Https);

    /// <param name="stopping">Fires when the front door closes.</param>
    public WebApplication Build(CancellationToken stopping)
    {
        // A line ends with CR LF. A parser that also accepts a lone LF, behind one that doesn't, sees headers that nobody sent.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(ConfigureKestrel);
        builder.Services.AddSingleton(loggers).AddSingleton(activation).AddSingleton<ActivatedListenerFactory>()
            .AddSingleton<IConnectionListenerFactory>(services => services.GetRequiredService<ActivatedListenerFactory>())
            .AddRoutingCore();
        pipeline.AddServices(builder.Services);
        // For requests in flight. WebSockets are closed at once: the app keeps running, and its clients reconnect.
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(3));
        var server = builder.Build();
        pipeline.AddTo(server, stopping);
        return server;
    }

    private void ConfigureKestrel(KestrelServerOptions kestrel)
    {
        // Activated ports last: they can't fail, and a client on one must not be closed because another port is in use.
        var ports = new[] { config.Listen.Http, config.Listen.Https }.OfType<int>();
        foreach (var port in ports.OrderBy(port => activation.Find(port) is not null))
        {
            kestrel.ListenAnyIP(port, options =>
            {
                options.Use(next => ConnectionTimeouts.Wrap(next, limits, clock.Time));
                if (port == config.Listen.Https)
                {
                    UseTls(options);
                }
            });
        }
        kestrel.AddServerHeader = false;
        // Header values are passed on byte for byte: the app knows their encoding.
        kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
        kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
        limits.ApplyTo(kestrel.Limits);
    }

    private void UseTls(ListenOptions options)
    {
        options.Protocols = HttpProtocols.Http1AndHttp2;
        options.UseHttps(new TlsHandshakeCallbackOptions
        {
            // Asked at each handshake. Open connections keep the certificate that they started with.
            OnConnection = _ => certificates.Current is { } certificate
                ? ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.Context,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                })
                : ValueTask.FromException<SslServerAuthenticationOptions>(new AuthenticationException("There is no certificate yet.")),
        });
        // After TLS: the frames are readable here, and Kestrel hasn't seen them yet.
        options.Use(next => ResetLimit.Apply(next, limits, clock.Time));
    }
}
