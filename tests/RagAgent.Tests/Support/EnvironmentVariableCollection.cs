using Xunit;

namespace RagAgent.Tests.Support;

/// <summary>For tests that set environment variables, which the whole process shares: they run after all others and one at a time.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class EnvironmentVariableCollection
{
    public const string Name = "Process environment";
}
