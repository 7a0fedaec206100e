using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Proxy.Access;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.StatusPage;
using RagAgent.Proxy.Tls;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Proxy;

/// <summary>What a request passes on its way to the app.</summary>
internal sealed class RequestPipeline(
    AgentConfig config,
    StateFeed feed,
    Policy policy,
    BootTimeline boot,
    AgentClock clock,
    InFlightRequests inFlight,
    CertificateWatch certificates,
    AccessControl access,
    ILoggerFactory loggers)
{
    private readonly ILogger _logger = loggers.CreateLogger<RequestPipeline>();
    private readonly UnavailableResponse _unavailable =
        new(config, feed, policy, boot, clock, loggers.CreateLogger<UnavailableResponse>());

    public void AddServices(IServiceCollection services) => services
        .AddHttpForwarder()
        .AddSingleton(clock.Time).AddSingleton(inFlight).AddSingleton(feed).AddSingleton(_unavailable)
        .AddSingleton(new HeldRequests(feed, policy, clock, config.Update.Hold))
        .AddSingleton(new StatusPageEvents(feed, _unavailable.ModelOf, clock.Time))
        .AddSingleton<ProxyHandler>();

    /// <param name="server">A server with the services of <see cref="AddServices"/>.</param>
    /// <param name="stopping">Fires when the front door closes.</param>
    public void AddTo(WebApplication server, CancellationToken stopping)
    {
        foreach (var middleware in Middlewares())
        {
            server.Use(middleware);
        }
        var handler = server.Services.GetRequiredService<ProxyHandler>();
        server.Run(context => handler.HandleAsync(context, stopping));
    }

    /// <summary>Every middleware, in the order in which a request passes them.</summary>
    private IEnumerable<Func<HttpContext, RequestDelegate, Task>> Middlewares()
    {
        yield return CompletePendingConnectionAsync;
        yield return (context, next) => ErrorMiddleware.InvokeAsync(context, next, _logger);
        yield return RequestSmugglingGuard.InvokeAsync;
        // Before the redirect: a certificate authority asks over HTTP, when there may be no certificate yet.
        if (config.Tls.Challenge is { } webroot)
        {
            yield return new AcmeChallenge(webroot, _logger).InvokeAsync;
        }
        if (config.Tls.Hsts is { } maxAge)
        {
            yield return new HstsHeader(maxAge).InvokeAsync;
        }
        if (config is { RedirectsToHttps: true, Listen.Https: { } https })
        {
            yield return new HttpsRedirect(https, certificates).InvokeAsync;
        }
        // After the redirect, so that with HTTPS no browser sends a password unencrypted.
        yield return access.InvokeAsync;
        if (config.Listen.BasePath is { } path)
        {
            yield return new BasePathMiddleware(path).InvokeAsync;
        }
    }

    private static Task CompletePendingConnectionAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Get<PendingConnection>()?.Complete();
        return next(context);
    }
}
