using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;
using RagAgent.Common;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Tells systemd's watchdog that the agent is alive, and only as long as each of its loops shows that it goes round.</summary>
/// <remarks>Follows sd_watchdog_enabled(3). Work that takes long, as a pull does, runs beside the loops and keeps none of them.</remarks>
internal sealed class Watchdog(IEnumerable<IHeartbeat> heartbeats, ISystemdNotifier systemd, WatchdogTimeout watchdogTimeout, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (watchdogTimeout.Value is not { } timeout)
        {
            return;
        }
        // The loops end one after the other then, and systemd has another limit for that (TimeoutStopSec=).
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        // Often enough that one late beat is no death.
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

/// <param name="Value">How long systemd waits for a sign of life; null: it does not.</param>
internal sealed record WatchdogTimeout(TimeSpan? Value)
{
    /// <summary>As systemd asks it of this process.</summary>
    public static WatchdogTimeout FromEnvironment() =>
        Parse(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    /// <param name="microseconds">Of <c>WATCHDOG_USEC</c>.</param>
    /// <param name="pid">Of <c>WATCHDOG_PID</c>: whom it is asked of; null or empty: of whoever reads it.</param>
    /// <param name="ownPid">This process.</param>
    public static WatchdogTimeout Parse(string? microseconds, string? pid, int ownPid) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed > 0 &&
        (string.IsNullOrEmpty(pid) || pid == ownPid.ToString(CultureInfo.InvariantCulture))
            ? new WatchdogTimeout(TimeSpan.FromMicroseconds(parsed))
            : new WatchdogTimeout(Value: null);
}
