using RagAgent.Supervision;

namespace RagAgent.Diagnostics;

/// <summary>Tells the end of the machine from that of the agent alone: to a process that is told to end, they look the same.</summary>
internal sealed class MachineEnd(StateBoard board)
{
    // An instance that restarts keeps its addresses; one that is stopped is powered off.
    private static readonly string[] ForGood = ["poweroff.target", "halt.target"];

    /// <summary>For a test of a machine that goes down.</summary>
    public Func<CancellationToken, Task<string?>> Jobs { get; init; } = Systemd.JobsAsync;

    /// <summary>Whether the machine is being switched off.</summary>
    /// <returns>False also when nobody can tell.</returns>
    public async Task<bool> IsNearAsync(CancellationToken stopping) =>
        board.State.InstanceStop.Value is not null || (await Jobs(stopping) is { } jobs && IsPowerOff(jobs));

    /// <param name="jobs">As <c>systemctl list-jobs</c> has them: number, unit, type, state.</param>
    public static bool IsPowerOff(string jobs) => jobs.Split('\n')
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Any(job => job is [_, var unit, "start", ..] && ForGood.Contains(unit));
}
