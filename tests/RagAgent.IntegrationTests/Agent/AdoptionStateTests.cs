using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The states in which an agent can find the container of a previous agent.</summary>
public sealed class AdoptionStateTests(EngineFixture engineFixture) : PrivateEngineTestBase(engineFixture)
{
    [Fact]
    public async Task A_leftover_container_that_never_started_is_replaced()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("rm", "--force", leftover.Id);
        var created = await Docker.RunCheckedAsync("create", "--name", Name, "--label", $"ragagent.name={Name}", leftover.Image);

        StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(created, await ContainersAsync(Docker));
    }

    [Fact]
    public async Task A_container_that_exited_without_an_agent_is_replaced_and_gets_its_secret()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("kill", leftover.Id);

        StartAgent();
        await WaitUntilServingAsync();

        Assert.NotEqual([leftover.Id], await ContainersAsync(Docker));
        Assert.Equal(leftover.KeyServed, (await GetAsync("/key-sha256")).Body);
    }

    [Fact]
    public async Task A_paused_container_is_adopted_and_serves_once_unpaused()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("pause", leftover.Id);

        StartAgent();
        await WaitForAsync(
            s => s.App is { State: "starting", Container: { } found } && leftover.Id.StartsWith(found, StringComparison.Ordinal),
            "the container is adopted");
        await Docker.RunCheckedAsync("unpause", leftover.Id);
        await WaitUntilServingAsync();

        Assert.Equal(leftover.StartedAt, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task A_container_that_stays_paused_is_replaced_at_the_startup_deadline()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("pause", leftover.Id);
        Config["health"]!["startup"]!["deadline"] = "3s";

        StartAgent();
        await WaitForFailureAsync("app-never-healthy");
        await WaitUntilServingAsync();

        Assert.NotEqual([leftover.Id], await ContainersAsync(Docker));
        Assert.Single(await ContainersAsync(Docker));
    }

    [Fact]
    public async Task A_container_with_an_engine_restart_policy_is_replaced_by_one_without()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("rm", "--force", leftover.Id);
        var restarting = await Docker.RunCheckedAsync(
            "run", "--detach", "--name", Name, "--label", $"ragagent.name={Name}", "--restart", "always",
            "--env", "FAKE_APP_EXIT_CODE=1", leftover.Image);
        await WaitUntilAsync(
            async () => await Docker.RunCheckedAsync("inspect", "--format", "{{.State.Status}}", restarting) == "restarting",
            "the engine waits with a restart");

        StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(restarting, await ContainersAsync(Docker));
        Assert.Equal("no", (await Docker.InspectAsync(Name))!["HostConfig"]!["RestartPolicy"]!["Name"]!.GetValue<string>());
    }

    /// <summary>
    /// An engine shows these states only briefly, or if its disk is broken. A proxy reports them for an exited container.
    /// </summary>
    [Theory]
    [InlineData("dead")]
    [InlineData("removing")]
    public async Task A_dead_or_half_removed_container_is_replaced(string state)
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("kill", leftover.Id);
        var inspected = (await Docker.InspectAsync(leftover.Id))!;
        inspected["State"]!["Status"] = state;
        inspected["State"]!["Dead"] = state == "dead";
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            if (!context.Request.Path.Value!.EndsWith($"/containers/{leftover.Id}/json", StringComparison.Ordinal) ||
                !(await ContainersAsync(Docker)).Contains(leftover.Id))
            {
                return false;
            }
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(inspected.ToJsonString());
            return true;
        });

        var agent = StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(leftover.Id, await ContainersAsync(Docker));
        Assert.Single(await ContainersAsync(Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task A_container_restarted_by_hand_without_an_agent_is_replaced_to_restore_its_secret()
    {
        var leftover = await LeaveContainerAsync();
        await Docker.RunCheckedAsync("stop", "--time", "1", leftover.Id);
        await Docker.RunCheckedAsync("start", leftover.Id);
        // Its shell still waits for the secrets.
        Assert.Equal("true", await Docker.RunCheckedAsync("inspect", "--format", "{{.State.Running}}", leftover.Id));

        var agent = StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(leftover.Id, await ContainersAsync(Docker));
        Assert.Equal(leftover.KeyServed, (await GetAsync("/key-sha256")).Body);
        await agent.WaitForLogAsync("someone else restarted it, so it has no secrets");
    }

    private sealed record LeftoverContainer(string Id, string StartedAt, string Image, string KeyServed);

    /// <summary>Runs an agent that leaves its container running.</summary>
    private async Task<LeftoverContainer> LeaveContainerAsync()
    {
        await PushAsync();
        var before = StartAgent();
        await WaitUntilServingAsync();
        var key = (await GetAsync("/key-sha256")).Body;
        await before.StopAsync();
        var container = (await Docker.InspectAsync(Name))!;
        return new LeftoverContainer(
            container["Id"]!.GetValue<string>(),
            container["State"]!["StartedAt"]!.GetValue<string>(),
            container["Image"]!.GetValue<string>(),
            key);
    }
}
