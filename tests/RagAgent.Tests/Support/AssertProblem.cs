using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Support;

/// <summary>Short words for the failures that operators read.</summary>
internal static class AssertProblem
{
    public static async Task<Problem> ThrownAsync(Func<Task> call) => (await Assert.ThrowsAsync<ProblemException>(call)).Problem;

    public static Problem Thrown(Action call) => Assert.Throws<ProblemException>(call).Problem;
}
