using CsCheck;
using RagAgent.Tests.Simulation;
using Xunit;

namespace RagAgent.Tests.Contract;

/// <summary>What the simulation measures, for histories that are always the same: a renaming changes none of it.</summary>
public sealed class SimulationMetricTests
{
    private const int Histories = 20;

    /// <summary>After a change of behaviour, or of what a history is made of, the file is written again; the commit says why.</summary>
    [Fact]
    public void The_same_histories_give_the_same_figures() => Pinned.Matches("simulation.txt", Enumerable.Range(1, 12).Select(Figures));

    [Fact]
    public void Unasked_it_lives_five_thousand_histories() =>
        Assert.Equal(
            int.TryParse(Environment.GetEnvironmentVariable("RAGAGENT_SIMULATION_HISTORIES"), out var asked) ? asked : 5_000,
            SimulationDepth.Histories);

    private static string Figures(int seed)
    {
        var random = new PCG((uint)seed, (ulong)seed);
        var any = History.Any(maxSteps: 25);
        var lived = Enumerable.Range(0, Histories).Select(_ => SimulatedLife.Run(any.Generate(random, null, out var _))).ToArray();
        return $"{seed:00} served within {lived.Max(one => one.RecoveryTime)}, " +
            $"at most {lived.Max(one => one.BusiestMinute)} effects in a minute, " +
            $"{lived.Sum(one => one.EventCount)} events, {lived.Sum(one => one.InstanceStops)} stops of the instance";
    }
}
