using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;
using Yarp.ReverseProxy.Forwarder;

namespace RagAgent.Proxy;

/// <summary>Listens for visitors as long as the agent lives. A port that is taken is waited for; the supervision goes on meanwhile.</summary>
internal sealed class FrontDoor(AgentConfig config, Supervisor supervisor, Visits visits, StateBoard board, Policy policy, AgentClock clock, ActivationSockets activation, AccessControl access, DoorLimits limits, ILoggerFactory loggers) : BackgroundService
{
    private static readonly TimeSpan BeforeTryingAgain = TimeSpan.FromSeconds(5);
    // A request follows its connection within the visitor's way to us and back.
    private static readonly TimeSpan ForNewcomers = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<FrontDoor>();
    private readonly TaskCompletionSource _firstTry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        visits.SessionsChanged += open => supervisor.Post(at => new Event.SessionsChanged(at, open));
        await base.StartAsync(cancellationToken);
        await _firstTry.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var port in activation.Ports.Where(port => port != config.Listen.Http))
        {
            _logger.NobodyListens(port, config.Listen.Http);
        }
        while (!stoppingToken.IsCancellationRequested)
        {
            await using var server = Build();
            if (await TryOpenAsync(server, stoppingToken))
            {
                await WaitForEndAsync(stoppingToken);
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
            supervisor.Post(at => new Event.DoorOpened(at));
            return true;
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            Tell(new Problem("listen-port-taken", $"Port {config.Listen.Http}, where visitors come in, is taken by another program.",
                $"See which with 'ss -ltnp sport = :{config.Listen.Http}' and stop it, or set listen.http in the configuration; the agent tries again every {Words.Span(BeforeTryingAgain)}."));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            Tell(new Problem("listen-port-denied", $"Port {config.Listen.Http}, where visitors come in, may not be opened by this user.",
                "Run the agent by its systemd unit, which grants it ports below 1024, or set listen.http to a port above 1023."));
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Tell(new Problem("listen-failed", $"Port {config.Listen.Http}, where visitors come in, can't be opened: {Problems.Cause(e)}.", Problems.TriesAgain));
        }
        finally
        {
            _firstTry.TrySetResult();
        }
        return false;
    }

    private void Tell(Problem problem) => supervisor.Post(at => new Event.DoorFailed(at, problem));

    private static async Task WaitForEndAsync(CancellationToken stopping)
    {
        var end = new TaskCompletionSource();
        await using var registration = stopping.Register(end.SetResult);
        await end.Task;
    }

    private WebApplication Build()
    {
        // A line ends in CR and LF: what takes a lone LF for the end, behind somebody who does not, reads headers that nobody sent.
        AppContext.SetSwitch("Microsoft.AspNetCore.Server.Kestrel.DisableHttp1LineFeedTerminators", true);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = "/" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(config.Listen.Http, listen => listen.Use(next => WireLimits.Apply(next, limits, clock.Time)));
            kestrel.AddServerHeader = false;
            // Byte for byte, as it came: the app knows which characters are meant.
            kestrel.RequestHeaderEncodingSelector = _ => Encoding.Latin1;
            kestrel.ResponseHeaderEncodingSelector = _ => Encoding.Latin1;
            limits.ApplyTo(kestrel.Limits);
        });
        builder.Services.AddSingleton(activation).AddSingleton<HeldPortFactory>().AddSingleton<IConnectionListenerFactory>(s => s.GetRequiredService<HeldPortFactory>());
        builder.Services.AddRoutingCore();
        builder.Services.AddHttpForwarder();
        builder.Services.AddSingleton(loggers).AddSingleton(visits).AddSingleton(board).AddSingleton(policy).AddSingleton<Reception>();
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
        server.Use(access.AdmitAsync);
        server.Run(reception.ReceiveAsync);
        return server;
    }
}
