using CsCheck;
using Xunit;

namespace RagAgent.Tests.Simulation;

/// <summary>
/// Random histories of faults, busy operators and crashes of the agent, on virtual time. A failure prints its history line by line, and
/// the seed that replays it: set CsCheck_Seed to it.
/// </summary>
[Collection(AllCoresCollection.Name)]
public class SimulationTests(ITestOutputHelper output)
{
    [Fact]
    public void In_every_history_the_invariants_hold_and_finally_the_newest_image_serves() =>
        Simulate(longest: 12, SimulationDepth.Histories);

    [Fact]
    public void In_a_long_history_the_invariants_hold() => Simulate(longest: 150, Math.Max(1, SimulationDepth.Histories / 20));

    private void Simulate(int longest, int histories)
    {
        var slowest = TimeSpan.Zero;
        var busiest = 0;
        var stops = 0;
        History? smallest = null;
        var began = TimeProvider.System.GetTimestamp();
        try
        {
            History.Any(longest).Sample(history =>
            {
                try
                {
                    var life = SimulatedLife.Run(history);
                    lock (output)
                    {
                        slowest = life.RecoveryTime > slowest ? life.RecoveryTime : slowest;
                        stops += life.InstanceStops;
                        busiest = Math.Max(busiest, life.BusiestMinute);
                    }
                }
                catch (InvariantViolatedException)
                {
                    lock (output)
                    {
                        smallest = smallest is null || history.Steps.Length < smallest.Steps.Length ? history : smallest;
                    }
                    throw;
                }
            }, iter: histories);
        }
        catch (CsCheckException) when (smallest is not null)
        {
            output.WriteLine(SimulatedLife.Describe(smallest));
            throw;
        }
        var took = TimeProvider.System.GetElapsedTime(began);
        output.WriteLine($"{histories} histories in {took.TotalSeconds:0.0} s; after the last fault it served within {slowest}; " +
            $"at most {busiest} effects in a minute; the instance stopped itself {stops} times.");
    }
}
