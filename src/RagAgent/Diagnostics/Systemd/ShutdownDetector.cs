using RagAgent.Supervision.Runtime;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Tells the end of the machine from that of the agent alone: to a process that is told to end, they look the same.</summary>
internal sealed class ShutdownDetector(StateFeed feed)
{
    // An instance that restarts keeps its addresses; one that is stopped is powered off.
    private static readonly string[] PowerOffTargets = ["poweroff.target", "halt.target"];

    /// <summary>For a test of a machine that goes down.</summary>
    public Func<CancellationToken, Task<string?>> ListJobs { get; init; } = Systemctl.ListJobsAsync;

    /// <summary>Whether the machine is being switched off.</summary>
    /// <returns>False also when nobody can tell.</returns>
    public async Task<bool> IsPoweringOffAsync(CancellationToken stopping) =>
        feed.State.InstanceStop.Value is not null || (await ListJobs(stopping) is { } jobs && IsPowerOff(jobs));

    /// <param name="jobs">As <c>systemctl list-jobs</c> has them: number, unit, type, state.</param>
    public static bool IsPowerOff(string jobs) => jobs.Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Any(job => job is [_, var unit, "start", ..] && PowerOffTargets.Contains(unit));
}
