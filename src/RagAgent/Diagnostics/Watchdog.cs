using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;
using RagAgent.Supervision;

namespace RagAgent.Diagnostics;

/// <summary>Tells systemd's watchdog that the agent is alive, and only as long as each of its loops shows that it goes round.</summary>
/// <remarks>Follows sd_watchdog_enabled(3). Work that takes long, as a pull does, runs beside the loops and keeps none of them.</remarks>
internal sealed class Watchdog(IEnumerable<IPulse> pulses, ISystemdNotifier systemd, WatchdogLimit limit, IHostApplicationLifetime life, TimeProvider time, ILogger<Watchdog> logger) : BackgroundService
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (limit.Time is not { } patience)
        {
            return;
        }
        // The loops end one after the other then, and systemd has another limit for that (TimeoutStopSec=).
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, life.ApplicationStopping);
        // Often enough that one late beat is no death.
        var period = patience / 4;
        while (true)
        {
            await Task.WhenAll(pulses.Select(pulse => BeatAsync(pulse, patience, period, end.Token)));
            systemd.Notify(Alive);
            await Task.Delay(period, time, end.Token);
        }
    }

    private async Task BeatAsync(IPulse pulse, TimeSpan patience, TimeSpan period, CancellationToken stopping)
    {
        var beat = pulse.BeatAsync(stopping);
        try
        {
            await beat.WaitAsync(period, time, stopping);
        }
        catch (TimeoutException)
        {
            logger.Stuck(pulse.What, Words.Span(period), Words.Span(patience));
            await beat;
            logger.Unstuck(pulse.What);
        }
    }
}

/// <param name="Time">How long systemd waits for a sign of life; null: it does not.</param>
internal sealed record WatchdogLimit(TimeSpan? Time)
{
    /// <summary>As systemd asks it of this process.</summary>
    public static WatchdogLimit Here() =>
        Of(Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    /// <param name="microseconds">Of <c>WATCHDOG_USEC</c>.</param>
    /// <param name="of">Of <c>WATCHDOG_PID</c>: whom it is asked of; null or empty: of whoever reads it.</param>
    /// <param name="self">This process.</param>
    public static WatchdogLimit Of(string? microseconds, string? of, int self) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) && limit > 0 &&
        (string.IsNullOrEmpty(of) || of == self.ToString(CultureInfo.InvariantCulture))
            ? new WatchdogLimit(TimeSpan.FromMicroseconds(limit))
            : new WatchdogLimit(Time: null);
}
