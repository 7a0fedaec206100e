using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>Tests that run alone because they load the whole machine.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ExclusiveCollection
{
    public const string Name = "Alone on the machine";
}
