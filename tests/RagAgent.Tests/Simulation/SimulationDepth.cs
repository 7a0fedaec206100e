using System.Globalization;

namespace RagAgent.Tests.Simulation;

/// <summary>
/// How much is simulated: what the inner loop has time for, or as many histories as RAGAGENT_SIMULATION_HISTORIES asks for.
/// </summary>
internal static class SimulationDepth
{
    private static readonly int? RequestedHistories =
        int.TryParse(Environment.GetEnvironmentVariable("RAGAGENT_SIMULATION_HISTORIES"), CultureInfo.InvariantCulture, out var asked) ? asked : null;

    public static int Histories { get; } = RequestedHistories ?? 5_000;

    /// <summary>At how many different stages of its way what was begun is left when the agent crashes.</summary>
    public static uint SeedsPerCrash { get; } = RequestedHistories is null ? 1u : 3u;
}
