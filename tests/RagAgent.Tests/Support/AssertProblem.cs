using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Support;

/// <summary>Asserts that a call throws a <see cref="ProblemException"/>, and returns its problem.</summary>
internal static class AssertProblem
{
    public static async Task<Problem> ThrownAsync(Func<Task> call) => (await Assert.ThrowsAsync<ProblemException>(call)).Problem;

    public static Problem Thrown(Action call) => Assert.Throws<ProblemException>(call).Problem;
}
