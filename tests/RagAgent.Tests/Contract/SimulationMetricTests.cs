using CsCheck;
using RagAgent.Tests.Simulation;
using Xunit;

namespace RagAgent.Tests.Contract;

/// <summary>Metrics of the simulation for fixed histories. Refactoring must not change them.</summary>
public sealed class SimulationMetricTests
{
    private const int Histories = 20;

    /// <summary>After a change of behaviour, or of the generated histories, update the file and say why in the commit.</summary>
    [Fact]
    public void The_same_histories_give_the_same_metrics() => Pinned.Matches("simulation.txt", Enumerable.Range(1, 12).Select(MetricsOf));

    [Fact]
    public void The_default_is_five_thousand_simulated_histories() =>
        Assert.Equal(
            int.TryParse(Environment.GetEnvironmentVariable("RAGAGENT_SIMULATION_HISTORIES"), out var histories) ? histories : 5_000,
            SimulationDepth.Histories);

    private static string MetricsOf(int seed)
    {
        var random = new PCG((uint)seed, (ulong)seed);
        var any = History.Any(maxSteps: 25);
        var lives = Enumerable.Range(0, Histories).Select(_ => SimulatedLife.Run(any.Generate(random, null, out var _))).ToArray();
        return $"{seed:00} served within {lives.Max(life => life.RecoveryTime)}, " +
            $"at most {lives.Max(life => life.BusiestMinute)} effects in a minute, " +
            $"{lives.Sum(life => life.EventCount)} events, {lives.Sum(life => life.InstanceStops)} stops of the instance";
    }
}
