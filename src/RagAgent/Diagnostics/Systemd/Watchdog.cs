using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Notifies systemd's watchdog that the agent is alive, as long as each of its loops responds.</summary>
/// <remarks>Follows sd_watchdog_enabled(3). Long work such as a pull runs outside of the loops and does not block them.</remarks>
internal sealed class Watchdog(
    IEnumerable<IHeartbeat> heartbeats,
    ISystemdNotifier systemd,
    WatchdogTimeout watchdogTimeout,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (watchdogTimeout.Value is not { } timeout)
        {
            return;
        }
        // The loops end one after the other when the agent stops. systemd has another limit for that (TimeoutStopSec=).
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        // Often enough that one late heartbeat is harmless.
        var period = timeout / 4;
        while (true)
        {
            await Task.WhenAll(heartbeats.Select(heartbeat => WaitForBeatAsync(heartbeat, timeout, period, end.Token)));
            systemd.Notify(Alive);
            await Task.Delay(period, time, end.Token);
        }
    }

    private async Task WaitForBeatAsync(IHeartbeat heartbeat, TimeSpan timeout, TimeSpan period, CancellationToken stopping)
    {
        var beat = heartbeat.BeatAsync(stopping);
        try
        {
            await beat.WaitAsync(period, time, stopping);
        }
        catch (TimeoutException)
        {
            logger.LoopStuck(heartbeat.Name, Humanize.Duration(period), Humanize.Duration(timeout));
            await beat;
            logger.LoopRecovered(heartbeat.Name);
        }
    }
}
