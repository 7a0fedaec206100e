using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy;

/// <summary>Listens for visitors as long as the agent lives. A port that is taken is waited for; the supervision goes on meanwhile.</summary>
internal sealed class FrontDoor(AgentConfig config, Supervisor supervisor, Visits visits, StateBoard board, Policy policy, BootTimeline boot, AgentClock clock, ActivationSockets activation, CertificateWatch certificates, AccessControl access, DoorLimits limits, ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan BeforeTryingAgain = TimeSpan.FromSeconds(5);
    // A request follows its connection within the visitor's way to us and back.
    private static readonly TimeSpan ForNewcomers = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<FrontDoor>();
    private readonly Unserved _unserved = new(config, board, policy, boot, clock, loggers.CreateLogger<Unserved>());
    private readonly TaskCompletionSource _firstTry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        visits.SessionsChanged += open => supervisor.Post(at => new Event.SessionsChanged(at, open));
        if (policy.Idle is { } idle)
        {
            visits.Activity.Listen(() => supervisor.Post(at => new Event.Visited(at)), idle.ToldEvery);
        }
        await base.StartAsync(cancellationToken);
        await _firstTry.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var port in activation.Ports.Where(port => port != config.Listen.Http && port != config.Listen.Https))
        {
            _logger.NobodyListens(port, config.Listen.Http);
        }
        while (!stoppingToken.IsCancellationRequested)
        {
            await using var server = Build(stoppingToken);
            if (await TryOpenAsync(server, stoppingToken))
            {
                await WaitForEndAsync(stoppingToken);
                certificates.Changed -= TellWhetherOpen;
                access.Changed -= TellWhetherOpen;
                await server.Services.GetRequiredService<HeldPortFactory>().CloseAsync(ForNewcomers, clock.Time);
                await server.StopAsync(CancellationToken.None);
                return;
            }
            await Task.Delay(BeforeTryingAgain, clock.Time, stoppingToken);
        }
    }

    private async Task<bool> TryOpenAsync(WebApplication server, CancellationToken stopping)
    {
        try
        {
            await server.StartAsync(stopping);
            _logger.Listens(config.Listen.Http);
            if (config.Listen.Https is { } https)
            {
                _logger.ListensForHttps(https);
            }
            certificates.Changed += TellWhetherOpen;
            access.Changed += TellWhetherOpen;
            TellWhetherOpen();
            return true;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            var (port, key) = Tried(server);
            Tell(new Problem("listen-port-taken", $"Port {port}, where visitors come in, is taken by another program.",
                $"See which with 'ss -ltnp sport = :{port}' and stop it, or set {key} in the configuration; the agent tries again every {Words.Span(BeforeTryingAgain)}."));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            var (port, key) = Tried(server);
            Tell(new Problem("listen-port-denied", $"Port {port}, where visitors come in, may not be opened by this user.",
                $"Run the agent by its systemd unit, which grants it ports below 1024, or set {key} to a port above 1023."));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Tell(new Problem("listen-failed", $"Port {Tried(server).Port}, where visitors come in, can't be opened: {Problems.Cause(e)}.", Problems.TriesAgain));
        }
        finally
        {
            _firstTry.TrySetResult();
        }
        return false;
    }

    private (int Port, string Key) Tried(WebApplication server) =>
        server.Services.GetRequiredService<HeldPortFactory>().Tried is { } port && port == config.Listen.Https ? (port, "listen.https") : (config.Listen.Http, "listen.http");

    /// <summary>An open port is no open door while all who come are turned away.</summary>
    private void TellWhetherOpen()
    {
        if ((certificates.KeepsVisitorsOut ?? access.KeepsVisitorsOut) is { } problem)
        {
            Tell(problem);
        }
        else
        {
            supervisor.Post(at => new Event.DoorOpened(at));
        }
    }

    private void Tell(Problem problem) => supervisor.Post(at => new Event.DoorFailed(at, problem));

    private static async Task WaitForEndAsync(CancellationToken stopping)
    {
        var end = new TaskCompletionSource();
        await using var registration = stopping.Register(end.SetResult);
        await end.Task;
    }

    private WebApplication Build(CancellationToken ending)
    {
        // A line ends in CR and LF: what takes a lone LF for the end, behind somebody who does not, reads headers that nobody sent.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            // Those that are held last: they never fail, and who comes in at one must not be sent away because another is taken.
            foreach (var port in new[] { config.Listen.Http, config.Listen.Https }.OfType<int>().OrderBy(port => activation.Find(port) is not null))
            {
                kestrel.ListenAnyIP(port, door =>
                {
                    door.Use(next => WireLimits.Apply(next, limits, clock.Time));
                    Secure(door, port);
                });
            }
            kestrel.AddServerHeader = false;
            // Byte for byte, as it came: the app knows which characters are meant.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            limits.ApplyTo(kestrel.Limits);
        });
        builder.Services.AddSingleton(activation).AddSingleton<HeldPortFactory>().AddSingleton<IConnectionListenerFactory>(s => s.GetRequiredService<HeldPortFactory>());
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(loggers).AddSingleton(visits).AddSingleton(board).AddSingleton(_unserved)
            .AddSingleton(new HeldRequests(board, policy, clock, config.Update.Hold)).AddSingleton(new PageEvents(board, _unserved.NoticeOf, clock.Time)).AddSingleton<Reception>();
        // Open WebSockets would hold the agent's stop for ever; the app keeps running, its visitors reconnect.
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(3));
        var server = builder.Build();
        var reception = server.Services.GetRequiredService<Reception>();
        server.Use((visit, inside) =>
        {
            visit.Features.Get<Newcomer>()?.Settle();
            return Mishap.CatchAsync(visit, inside, _logger);
        });
        server.Use(Framing.CheckAsync);
        AddWays(server);
        server.Run(visit => reception.ReceiveAsync(visit, ending));
        return server;
    }

    /// <summary>What stands between a visitor and the reception, in the order in which they come by.</summary>
    private void AddWays(WebApplication server)
    {
        if (config.Tls.Challenge is { } webroot)
        {
            var challenge = new AcmeChallenge(webroot, _logger);
            server.Use(next => visit => challenge.ReceiveAsync(visit, next));
        }
        if (config.Tls.Hsts is { } hsts)
        {
            var strict = new StrictTransport(hsts);
            server.Use(next => visit => strict.ReceiveAsync(visit, next));
        }
        if (config is { SecureOnly: true, Listen.Https: { } https })
        {
            var secure = new SecureOnly(https, certificates);
            server.Use(next => visit => secure.ReceiveAsync(visit, next));
        }
        // Behind the redirect, so that no password is asked for in the clear where there is TLS.
        server.Use(access.AdmitAsync);
        if (config.Listen.BasePath is { } path)
        {
            var below = new BasePath(path);
            server.Use(next => visit => below.ReceiveAsync(visit, next));
        }
    }

    private void Secure(ListenOptions door, int port)
    {
        if (port != config.Listen.Https)
        {
            return;
        }
        door.Protocols = HttpProtocols.Http1AndHttp2;
        door.UseHttps(new TlsHandshakeCallbackOptions
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
    }
}
