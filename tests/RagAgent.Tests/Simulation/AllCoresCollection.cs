using Xunit;

namespace RagAgent.Tests.Simulation;

/// <summary>For tests that use all cores. They run one at a time, and never in parallel with a test that measures durations.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class AllCoresCollection
{
    public const string Name = "All cores";
}
