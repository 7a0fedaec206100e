using Xunit;

namespace RagAgent.Tests.Simulation;

/// <summary>For tests that compute on all cores: one at a time, and none beside a test that measures how long something takes.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class AllCoresCollection
{
    public const string Name = "All cores";
}
