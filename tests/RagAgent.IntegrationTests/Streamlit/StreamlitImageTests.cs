using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary>The image that Dockerfile.streamlit builds with the real pip. scripts/check-dockerfile.sh checks the rest of it.</summary>
public sealed class StreamlitImageTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    [Theory, MemberData(nameof(Versions))]
    public async Task The_image_runs_a_session_as_user_10001_with_a_read_only_root_and_ends_well(string version)
    {
        var image = $"{Name}:streamlit";
        await BuildStreamlitAsync(version, "good/widgets", image);
        // As ContainerSpec.cs with readOnlyRoot.
        await Docker.RunCheckedAsync(
            "run", "--detach", "--name", Name, "--init", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp",
            "--publish", $"127.0.0.1:{Port}:8501", "--stop-timeout", "60", image);
        var address = new Uri($"http://127.0.0.1:{Port}/");
        await WaitUntilAsync(async () => await IsHealthyAsync(address), "Streamlit is healthy");

        await using (var session = await StreamlitSession.OpenAsync(address, TestCancellation))
        {
            await session.RunAsync(TestCancellation);
            await session.WaitForTextAsync($"Version {version}", TestCancellation);
            await session.WaitForTextAsync("Page none", TestCancellation);
        }

        var processes = PrivateEngine.Lines(await Docker.RunCheckedAsync("top", Name, "-o", "pid,uid")).Skip(1);
        Assert.Equal(["10001"], processes.Select(process => process.Split(' ')[^1]).Distinct());
        await Docker.RunCheckedAsync("stop", Name);
        Assert.Equal(0, (int)(await Docker.InspectAsync(Name))!["State"]!["ExitCode"]!);
        await Docker.RunCheckedAsync("rm", Name);
        await Docker.RunCheckedAsync("rmi", image);
    }

    private async Task<bool> IsHealthyAsync(Uri address)
    {
        try
        {
            return await Http.GetStringAsync(new Uri(address, "_stcore/health"), TestCancellation) == "ok";
        }
        catch (HttpRequestException)
        {
            return false;   // not listening yet
        }
    }
}
