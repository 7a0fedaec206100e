using System.Net;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>Why the health check alone can't be the gate: real Streamlit answers it before it runs the script.</summary>
public sealed class StreamlitServerTests
{
    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory, MemberData(nameof(Versions))]
    public Task Real_Streamlit_is_healthy_with_each_good_app(string version) => AllAreHealthyAsync(version, StreamlitApps.Good);

    [Theory, MemberData(nameof(Versions))]
    public Task Real_Streamlit_is_healthy_with_each_broken_app_too(string version) => AllAreHealthyAsync(version, StreamlitApps.Broken);

    /// <summary>Two at a time, because each start takes a second of processor time.</summary>
    private static async Task AllAreHealthyAsync(string version, IReadOnlyList<string> apps)
    {
        await StreamlitInstallation.FolderAsync(version);
        await Parallel.ForEachAsync(apps, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Cancellation },
            async (app, stopping) =>
            {
                await using var server = await StreamlitServer.StartAsync(version, app, stopping: stopping);
                Assert.Equal(HttpStatusCode.OK, await server.HealthAsync(stopping));
            });
    }
}
