using Xunit;

namespace RagAgent.Tests.Support;

/// <summary>Tests that set environment variables, which the whole process shares. They run after all others, one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class EnvironmentVariableCollection
{
    public const string Name = "Process environment";
}
