using RagAgent.Common;

namespace RagAgent.Tests.Contract;

/// <summary>The one place that knows how to find the problem codes that the agent can produce.</summary>
internal static class ProblemCodes
{
    public static IReadOnlySet<string> All { get; } = ProblemCatalog.All.Select(kind => kind.Code).ToHashSet();
}
