using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Distinguishes a shutdown of the machine from a stop of the agent alone. A process gets the same signal for both.</summary>
internal sealed class ShutdownDetector(StateFeed feed)
{
    // Without reboot.target: an instance keeps its addresses when it reboots. One that is stopped powers off.
    private static readonly string[] PowerOffTargets = ["poweroff.target", "halt.target"];

    /// <summary>For tests of a machine that shuts down.</summary>
    public Func<CancellationToken, Task<string?>> ListJobs { get; init; } = Systemctl.ListJobsAsync;

    /// <returns>Also false if it is unknown.</returns>
    public async Task<bool> IsPoweringOffAsync(CancellationToken stopping) =>
        feed.State.InstanceStop.Value is not null || (await ListJobs(stopping) is { } jobs && IsPowerOff(jobs));

    /// <param name="jobs">The output of <c>systemctl list-jobs</c>: number, unit, type, state.</param>
    public static bool IsPowerOff(string jobs) => jobs.Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Any(job => job is [_, var unit, "start", ..] && PowerOffTargets.Contains(unit));
}
