using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Bench;

/// <summary>Short words for the failures that operators read.</summary>
internal static class Refused
{
    public static async Task<Problem> ByAsync(Func<Task> call) => (await Assert.ThrowsAsync<ProblemException>(call)).Problem;

    public static Problem By(Action call) => Assert.Throws<ProblemException>(call).Problem;
}
