using System.Globalization;

namespace RagAgent.Diagnostics.Systemd;

/// <param name="Value">How long systemd's watchdog waits for a notification; null: the watchdog is off.</param>
internal sealed record WatchdogTimeout(TimeSpan? Value)
{
    public static WatchdogTimeout FromEnvironment() => Parse(
        Environment.GetEnvironmentVariable("WATCHDOG_USEC"), Environment.GetEnvironmentVariable("WATCHDOG_PID"), Environment.ProcessId);

    /// <param name="microseconds"><c>WATCHDOG_USEC</c>.</param>
    /// <param name="pid"><c>WATCHDOG_PID</c>: the process that must send the notifications; null or empty: any process.</param>
    /// <param name="ownPid">This process.</param>
    public static WatchdogTimeout Parse(string? microseconds, string? pid, int ownPid) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) && parsed > 0 &&
        (string.IsNullOrEmpty(pid) || pid == ownPid.ToString(CultureInfo.InvariantCulture))
            ? new WatchdogTimeout(TimeSpan.FromMicroseconds(parsed))
            : new WatchdogTimeout(Value: null);
}
