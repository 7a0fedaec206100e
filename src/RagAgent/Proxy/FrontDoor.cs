using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
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

/// <summary>Listens for visitors as long as the agent lives. A port that is taken is waited for; the supervision goes on meanwhile.</summary>
internal sealed class FrontDoor(AgentConfig config, Supervisor supervisor, InFlightRequests inFlight, StateFeed feed, Policy policy, BootTimeline boot, AgentClock clock, ActivationSockets activation, CertificateWatch certificates, AccessControl access, ConnectionLimits limits, ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);
    // A request follows its connection within the visitor's way to us and back.
    private static readonly TimeSpan PendingTimeout = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<FrontDoor>();
    private readonly UnavailableResponse _unavailable = new(config, feed, policy, boot, clock, loggers.CreateLogger<UnavailableResponse>());
    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        inFlight.SessionsChanged += open => supervisor.Post(at => new Event.SessionsChanged(at, open));
        if (policy.Idle is { } idle)
        {
            inFlight.Activity.Subscribe(() => supervisor.Post(at => new Event.ActivitySeen(at)), idle.ActivityInterval);
        }
        await base.StartAsync(cancellationToken);
        await _firstAttempt.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var port in activation.Ports.Where(port => port != config.Listen.Http && port != config.Listen.Https))
        {
            _logger.ActivatedPortUnused(port, config.Listen.Http);
        }
        while (!stoppingToken.IsCancellationRequested)
        {
            await using var server = BuildServer(stoppingToken);
            if (await TryOpenAsync(server, stoppingToken))
            {
                await WaitForStopAsync(stoppingToken);
                certificates.Changed -= ReportState;
                access.Changed -= ReportState;
                await server.Services.GetRequiredService<ActivatedListenerFactory>().StopAcceptingAsync(PendingTimeout, clock.Time);
                await server.StopAsync(CancellationToken.None);
                return;
            }
            await Task.Delay(RetryDelay, clock.Time, stoppingToken);
        }
    }

    private async Task<bool> TryOpenAsync(WebApplication server, CancellationToken stopping)
    {
        try
        {
            await server.StartAsync(stopping);
            _logger.FrontDoorOpened(config.Listen.Http);
            if (config.Listen.Https is { } https)
            {
                _logger.HttpsOpened(https);
            }
            certificates.Changed += ReportState;
            access.Changed += ReportState;
            ReportState();
            return true;
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            var (port, key) = AttemptedPort(server);
            ReportProblem(new Problem(ProblemCatalog.ListenPortTaken, $"Port {port}, where visitors come in, is taken by another program.",
                $"See which with 'ss -ltnp sport = :{port}' and stop it, or set {key} in the configuration; the agent tries again every {Humanize.Duration(RetryDelay)}."));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            var (port, key) = AttemptedPort(server);
            ReportProblem(new Problem(ProblemCatalog.ListenPortDenied, $"Port {port}, where visitors come in, may not be opened by this user.",
                $"Run the agent by its systemd unit, which grants it ports below 1024, or set {key} to a port above 1023."));
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            ReportProblem(new Problem(ProblemCatalog.ListenFailed, $"Port {AttemptedPort(server).Port}, where visitors come in, can't be opened: {ExceptionMapping.DescribeCause(exception)}.", ExceptionMapping.RetriesAutomatically));
        }
        finally
        {
            _firstAttempt.TrySetResult();
        }
        return false;
    }

    private (int Port, string Key) AttemptedPort(WebApplication server) =>
        server.Services.GetRequiredService<ActivatedListenerFactory>().LastAttemptedPort is { } port && port == config.Listen.Https ? (port, "listen.https") : (config.Listen.Http, "listen.http");

    /// <summary>An open port is no open door while all who come are turned away.</summary>
    private void ReportState()
    {
        if ((certificates.BlockingProblem ?? access.BlockingProblem) is { } problem)
        {
            ReportProblem(problem);
        }
        else
        {
            supervisor.Post(at => new Event.FrontDoorOpened(at));
        }
    }

    private void ReportProblem(Problem problem) => supervisor.Post(at => new Event.FrontDoorFailed(at, problem));

    private static async Task WaitForStopAsync(CancellationToken stopping)
    {
        var stopped = new TaskCompletionSource();
        await using var registration = stopping.Register(stopped.SetResult);
        await stopped.Task;
    }

    private WebApplication BuildServer(CancellationToken stopping)
    {
        // A line ends in CR and LF: what takes a lone LF for the end, behind somebody who does not, reads headers that nobody sent.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // Those that are held last: they never fail, and who comes in at one must not be sent away because another is taken.
            foreach (var port in new[] { config.Listen.Http, config.Listen.Https }.OfType<int>().OrderBy(port => activation.Find(port) is not null))
            {
                kestrel.ListenAnyIP(port, options =>
                {
                    options.Use(next => ConnectionGuard.Wrap(next, limits, clock.Time));
                    UseTls(options, port);
                });
            }
            kestrel.AddServerHeader = false;
            // Byte for byte, as it came: the app knows which characters are meant.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            limits.ApplyTo(kestrel.Limits);
        });
        builder.Services.AddSingleton(activation).AddSingleton<ActivatedListenerFactory>().AddSingleton<IConnectionListenerFactory>(s => s.GetRequiredService<ActivatedListenerFactory>());
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(loggers).AddSingleton(inFlight).AddSingleton(feed).AddSingleton(_unavailable)
            .AddSingleton(new HeldRequests(feed, policy, clock, config.Update.Hold)).AddSingleton(new StatusPageEvents(feed, _unavailable.ModelOf, clock.Time)).AddSingleton<ProxyHandler>();
        // Open WebSockets would hold the agent's stop for ever; the app keeps running, its visitors reconnect.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(3));
        var server = builder.Build();
        var handler = server.Services.GetRequiredService<ProxyHandler>();
        server.Use((context, next) =>
        {
            context.Features.Get<PendingConnection>()?.Complete();
            return ErrorMiddleware.InvokeAsync(context, next, _logger);
        });
        server.Use(RequestSmugglingGuard.InvokeAsync);
        UseMiddlewares(server);
        server.Run(context => handler.HandleAsync(context, stopping));
        return server;
    }

    /// <summary>What stands between a visitor and the reception, in the order in which they come by.</summary>
    private void UseMiddlewares(WebApplication server)
    {
        if (config.Tls.Challenge is { } webroot)
        {
            var challenge = new AcmeChallenge(webroot, _logger);
            server.Use(next => context => challenge.InvokeAsync(context, next));
        }
        if (config.Tls.Hsts is { } hsts)
        {
            var header = new HstsHeader(hsts);
            server.Use(next => context => header.InvokeAsync(context, next));
        }
        if (config is { RedirectsToHttps: true, Listen.Https: { } https })
        {
            var redirect = new HttpsRedirect(https, certificates);
            server.Use(next => context => redirect.InvokeAsync(context, next));
        }
        // Behind the redirect, so that no password is asked for in the clear where there is TLS.
        server.Use(access.InvokeAsync);
        if (config.Listen.BasePath is { } path)
        {
            var basePath = new BasePathMiddleware(path);
            server.Use(next => context => basePath.InvokeAsync(context, next));
        }
    }

    private void UseTls(ListenOptions options, int port)
    {
        if (port != config.Listen.Https)
        {
            return;
        }
        options.Protocols = HttpProtocols.Http1AndHttp2;
        options.UseHttps(new TlsHandshakeCallbackOptions
        {
            // Asked at each handshake: connections that are open go on with the certificate that they began with.
            OnConnection = _ => certificates.Current is { } certificate
                ? ValueTask.FromResult(new SslServerAuthenticationOptions
                {
                    ServerCertificateContext = certificate.Context,
                    EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                })
                : ValueTask.FromException<SslServerAuthenticationOptions>(new AuthenticationException("There is no certificate yet.")),
        });
        options.Use(next => ResetLimit.Apply(next, limits, clock.Time));
    }
}
