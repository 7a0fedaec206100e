using System.Net;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>What the app itself can do wrong. The agent keeps running, reports it and restarts the app.</summary>
public sealed class AppFailureTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task An_app_that_exits_at_once_is_restarted_and_reported_as_crash_looping()
    {
        ConfigureApp(("FAKE_APP_EXIT_CODE", "3"));
        await PushAsync();
        var agent = StartAgent();

        var status = await WaitForAsync(s => s.App.CrashLooping, "the app is reported as crash looping");
        Assert.Equal($"The app's container {Name} exited with code 3.", status.LastFailure!.Problem.What);
        Assert.NotEmpty(status.LastFailure.LastLines);
        var (code, body) = await GetAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Contains("\"message\":\"The app ", body, StringComparison.Ordinal);
        Assert.DoesNotContain(Name, body, StringComparison.Ordinal);
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task An_app_that_exits_with_code_0_is_restarted()
    {
        ConfigureApp(("FAKE_APP_EXIT_AFTER", "1"));
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("app-exited");
        Assert.Equal($"The app's container {Name} exited with code 0.", failure.Problem.What);
        await WaitForAsync(s => s.App.Crashes >= 2, "the app was started and exited again");
    }

    [Fact]
    public async Task An_app_that_never_becomes_ready_is_restarted_at_its_deadline()
    {
        ConfigureApp(("FAKE_APP_UNHEALTHY_FOR", "forever"));
        Config["health"]!["startup"]!["deadline"] = "2s";
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("app-never-healthy");
        // Under pressure from other tests, the agent allows twice the time.
        Assert.Matches($"^The app's container {Name} was not ready within (2|4)s of its start: /_stcore/health answered 404\\.$", failure.Problem.What);
        var first = failure.At;
        await WaitForAsync(s => s.LastFailure!.At != first, "the app was started again");
    }

    [Fact]
    public async Task An_app_that_hangs_is_restarted_by_the_liveness_probe()
    {
        ConfigureApp(("FAKE_APP_HANG_AFTER", "3"));
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);

        var failure = await WaitForFailureAsync("app-unhealthy");
        // Under pressure, the agent allows more failures and says so.
        Assert.Matches(
            $"^The app's container {Name} failed [36] liveness probes in a row: /_stcore/health did not answer within 1s( while the machine is short of .*)?\\.$",
            failure.Problem.What);
        await WaitUntilServingAsync();
        Assert.NotEqual(started, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task An_app_that_runs_out_of_memory_is_reported_as_such()
    {
        ConfigureApp(("FAKE_APP_LEAK_MIB_PER_SECOND", "40"));
        Config["container"]!["memory"] = "32m";
        await PushAsync();
        StartAgent();

        var failure = await WaitForFailureAsync("app-out-of-memory");
        Assert.Equal($"The app's container {Name} was killed because it ran out of memory.", failure.Problem.What);
    }

    [Fact]
    public async Task A_killed_app_comes_back_with_its_secret()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var key = (await GetAsync("/key-sha256")).Body;
        var started = await Docker.StartedAtAsync(Name);

        await Docker.RunCheckedAsync("kill", Name);

        await WaitUntilAsync(
            async () => await Docker.InspectAsync(Name) is { } now && now["State"]!["StartedAt"]!.GetValue<string>() != started,
            "the app is started again");
        await WaitUntilServingAsync();
        Assert.Equal(key, (await GetAsync("/key-sha256")).Body);
    }

    [Fact]
    public async Task A_removed_container_is_created_again()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        await Docker.RunCheckedAsync("rm", "--force", Name);

        await WaitForFailureAsync("container-removed");
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task An_app_restarted_with_docker_restart_gets_its_secret_again()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        var key = (await GetAsync("/key-sha256")).Body;
        var id = (await Docker.InspectAsync(Name))!["Id"]!.GetValue<string>();

        await Docker.RunCheckedAsync("restart", "--time", "1", Name);

        await WaitUntilAsync(
            async () => await Docker.InspectAsync(Name) is { } now && now["Id"]!.GetValue<string>() != id, "the container is replaced");
        await WaitUntilServingAsync();
        Assert.Equal(key, (await GetAsync("/key-sha256")).Body);
    }
}
