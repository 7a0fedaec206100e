using RagAgent.Common;

namespace RagAgent.Tests.Contract;

/// <summary>All problem codes of the agent.</summary>
internal static class ProblemCodes
{
    public static IReadOnlySet<string> All { get; } = ProblemCatalog.All.Select(kind => kind.Code).ToHashSet();
}
