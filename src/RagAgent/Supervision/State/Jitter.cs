namespace RagAgent.Supervision.State;

/// <summary>Random numbers whose seed is part of the state, so that a replayed history has the same delays.</summary>
internal static class Jitter
{
    /// <summary>Draws the next number and moves the seed on.</summary>
    /// <param name="state">Holds the seed.</param>
    /// <param name="then">Gets a number of at least 0 and less than 1.</param>
    public static AgentState WithJitter(this AgentState state, Func<double, AgentState> then)
    {
        // Knuth's linear congruential generator; its 53 high bits make a double.
        var seed = (state.Seed * 6364136223846793005UL) + 1442695040888963407UL;
        return then((seed >> 11) / (double)(1UL << 53)) with { Seed = seed };
    }
}
