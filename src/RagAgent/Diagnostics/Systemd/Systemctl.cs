using RagAgent.Common;

namespace RagAgent.Diagnostics.Systemd;

/// <summary>Runs <c>systemctl</c> to query the package's units and the job queue.</summary>
internal static class Systemctl
{
    public const string ServiceUnit = "ragagent.service";
    public const string SocketUnit = "ragagent.socket";
    private const string RunningMarker = "/run/systemd/system";

    /// <summary>A unit's properties from <c>systemctl show</c>.</summary>
    /// <returns>Null if systemd doesn't run here.</returns>
    public static async Task<IReadOnlyDictionary<string, string>?> ShowAsync(string unit, CancellationToken stopping) =>
        await RunAsync(["show", unit], stopping) is { } text ? ParseProperties(text) : null;

    /// <summary>systemd's queued and running jobs, one per line.</summary>
    /// <returns>Null if systemd doesn't run here.</returns>
    public static Task<string?> ListJobsAsync(CancellationToken stopping) =>
        RunAsync(["list-jobs", "--no-legend", "--no-pager", "--plain"], stopping);

    private static async Task<string?> RunAsync(string[] arguments, CancellationToken stopping)
    {
        if (!Directory.Exists(RunningMarker))
        {
            return null;
        }
        var result = await ChildProcess.RunAsync("systemctl", arguments, stopping);
        return result.ExitCode is null ? null : result.Output;
    }

    /// <summary>A property that occurs more than once gets one line per occurrence.</summary>
    public static IReadOnlyDictionary<string, string> ParseProperties(string text) => text.Split('\n')
        .Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2)
        .GroupBy(pair => pair[0]).ToDictionary(group => group.Key, group => string.Join('\n', group.Select(pair => pair[1])));
}
