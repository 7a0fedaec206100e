using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Access;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Proxy;

/// <summary>
/// Keeps the front door open as long as the agent runs, and reports to the supervision whether it is.
/// A port in use is retried; the supervision continues meanwhile.
/// </summary>
internal sealed class FrontDoor(
    AgentConfig config,
    Policy policy,
    Supervisor supervisor,
    InFlightRequests inFlight,
    CertificateWatch certificates,
    AccessControl access,
    FrontDoorServer serverBuilder,
    AgentClock clock,
    ILogger<FrontDoor> logger) : BackgroundService
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5);

    // The first request follows its connection within one round trip. With it, the whole stop takes less than a second.
    private static readonly TimeSpan PendingTimeout = TimeSpan.FromMilliseconds(700);

    private readonly TaskCompletionSource _firstAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (policy.Idle is { } idle)
        {
            inFlight.Activity.Subscribe(() => supervisor.Post(at => new Event.ActivitySeen(at)), idle.ActivityInterval);
        }
        await base.StartAsync(cancellationToken);
        await _firstAttempt.Task.WaitAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        inFlight.SessionsChanged += open =>
        {
            // That the agent closes its sessions when it ends does not mean that people have gone: an update must not begin now.
            if (!stoppingToken.IsCancellationRequested)
            {
                supervisor.Post(at => new Event.SessionsChanged(at, open));
            }
        };
        foreach (var port in serverBuilder.UnusedActivatedPorts)
        {
            logger.ActivatedPortUnused(port, config.Listen.Http);
        }
        while (!stoppingToken.IsCancellationRequested)
        {
            await using var server = serverBuilder.Build(stoppingToken);
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
            logger.FrontDoorOpened(config.Listen.Http);
            if (config.Listen.Https is { } https)
            {
                logger.HttpsOpened(https);
            }
            certificates.Changed += ReportState;
            access.Changed += ReportState;
            ReportState();
            return true;
        }
        catch (IOException exception) when (exception.InnerException is AddressInUseException)
        {
            var (port, key) = AttemptedPort(server);
            ReportProblem(new Problem(ProblemCatalog.ListenPortTaken,
                $"The front door can't open port {port}: another program uses it.",
                $"Find it with 'ss -ltnp sport = :{port}' and stop it, or set {key} in the configuration. " +
                $"The agent tries again every {Humanize.Duration(RetryDelay)}."));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            var (port, key) = AttemptedPort(server);
            ReportProblem(new Problem(ProblemCatalog.ListenPortDenied,
                $"The front door can't open port {port}: this user may not.",
                $"Run the agent through its systemd unit, which allows ports below 1024, or set {key} to a port above 1023."));
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            ReportProblem(new Problem(ProblemCatalog.ListenFailed,
                $"The front door can't open port {AttemptedPort(server).Port}: {ExceptionMapping.DescribeCause(exception)}.",
                ExceptionMapping.RetriesAutomatically));
        }
        finally
        {
            _firstAttempt.TrySetResult();
        }
        return false;
    }

    private (int Port, string Key) AttemptedPort(WebApplication server)
    {
        var attempted = server.Services.GetRequiredService<ActivatedListenerFactory>().LastAttemptedPort;
        return attempted is { } port && port == config.Listen.Https ? (port, "listen.https") : (config.Listen.Http, "listen.http");
    }

    /// <summary>With its ports open, the front door still counts as closed while it turns away every client.</summary>
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
}
