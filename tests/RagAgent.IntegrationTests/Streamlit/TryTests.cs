using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Streamlit;

/// <summary><c>ragagent try</c>, as CI runs it before a push.</summary>
public sealed class TryTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private const string Variable = "APP_KEY_THAT_IS_NOT_SET";

    private string Image => $"{Name}:try";

    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    [Theory, MemberData(nameof(Versions))]
    public async Task An_app_whose_page_works_passes(string version)
    {
        var result = await TryAsync(version, "good/plain");

        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith($"{Image} works: its page was complete after ", result.Output, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task A_missing_package_fails_with_its_exception(string version)
    {
        var result = await TryAsync(version, "broken/missing_package");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains(
            $"error: {Image} fails when its page is opened: ModuleNotFoundError: No module named 'a_package_that_is_not_installed'.",
            result.Error,
            StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task An_app_that_exits_fails_with_its_code(string version)
    {
        var result = await TryAsync(version, "broken/exits");

        Assert.Equal(1, result.ExitCode);
        Assert.Contains($"error: The app of {Image} exited with code 3.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_key_is_a_warning_because_keys_are_missing_in_CI_and_an_error_with_strict()
    {
        var result = await TryAsync(StreamlitInstallation.WithUvicorn, "broken/missing_key");
        var strict = await RunTryAsync("--strict");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains($"warning: {Image} fails when its page is opened: KeyError: '{Variable}'.", result.Output, StringComparison.Ordinal);
        Assert.Equal(1, strict.ExitCode);
        Assert.Contains($"error: {Image} fails when its page is opened: KeyError: '{Variable}'.", strict.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_app_gets_a_variable_of_the_commands_environment_and_nothing_shows_its_value()
    {
        AgentEnvironment[Variable] = "a-value-that-nobody-may-see";
        await BuildStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/missing_key", Image);

        var result = await RunTryAsync("--strict", "--env", Variable);

        Assert.Equal(0, result.ExitCode);
        Assert.DoesNotContain("a-value-that-nobody-may-see", result.Output + result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_variable_that_is_not_set_is_refused()
    {
        var result = await RunTryAsync("--env", Variable);

        Assert.Equal(64, result.ExitCode);
        Assert.StartsWith($"ragagent: --env names {Variable}, which is not set in this command's environment.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_that_the_engine_does_not_have_is_refused()
    {
        var result = await RunTryAsync();

        Assert.Equal(1, result.ExitCode);
        Assert.Equal($"ragagent: Docker Engine has no image {Image}. Build it, or run 'docker pull {Image}'.\n", result.Error);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task Its_container_carries_no_agent_labels_and_is_removed_when_the_command_is_ended(string signal)
    {
        await BuildStreamlitAsync(StreamlitInstallation.WithUvicorn, "broken/hangs", Image);
        var agent = StartAgent(EngineFixture.Binary, ["try", Image, "--timeout", "1h"]);
        await WaitUntilAsync(async () => (await ContainersAsync()).Length > 0, "its container runs");
        var labels = await Docker.RunCheckedAsync("inspect", "--format", "{{json .Config.Labels}}", (await ContainersAsync())[0]);

        await agent.StopAsync(signal);

        Assert.DoesNotContain("ragagent", labels, StringComparison.Ordinal);
        await WaitUntilAsync(async () => (await ContainersAsync()).Length == 0, "its container is removed");
    }

    private async Task<ProcessResult> TryAsync(string version, string app)
    {
        await BuildStreamlitAsync(version, app, Image);
        var result = await RunTryAsync();
        Assert.Empty(await ContainersAsync());
        return result;
    }

    private Task<ProcessResult> RunTryAsync(params string[] options) => RunCommandAsync(["try", Image, .. options]);

    /// <summary>The containers of this test's image.</summary>
    private async Task<string[]> ContainersAsync() =>
        PrivateEngine.Lines(await Docker.RunCheckedAsync("ps", "--all", "--quiet", "--filter", $"ancestor={Image}"));
}
