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
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("rm", "--force", left.Id);
        var created = await Docker.DoAsync("create", "--name", Name, "--label", $"ragagent.name={Name}", left.Image);

        StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(created, await ContainersAsync(Docker));
    }

    [Fact]
    public async Task A_container_that_exited_without_an_agent_is_replaced_and_gets_its_secret()
    {
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("kill", left.Id);

        StartAgent();
        await WaitUntilServingAsync();

        Assert.NotEqual([left.Id], await ContainersAsync(Docker));
        Assert.Equal(left.KeyServed, (await GetAsync("/key-sha256")).Body);
    }

    [Fact]
    public async Task A_paused_container_is_adopted_and_serves_once_unpaused()
    {
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("pause", left.Id);

        StartAgent();
        await WaitForAsync(
            s => s.App is { State: "starting", Container: { } found } && left.Id.StartsWith(found, StringComparison.Ordinal),
            "the container is adopted");
        await Docker.DoAsync("unpause", left.Id);
        await WaitUntilServingAsync();

        Assert.Equal(left.StartedAt, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task A_container_that_stays_paused_is_replaced_at_the_startup_deadline()
    {
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("pause", left.Id);
        Config["health"]!["startup"]!["deadline"] = "3s";

        StartAgent();
        await WaitForFailureAsync("app-never-healthy");
        await WaitUntilServingAsync();

        Assert.NotEqual([left.Id], await ContainersAsync(Docker));
        Assert.Single(await ContainersAsync(Docker));
    }

    [Fact]
    public async Task A_container_with_an_engine_restart_policy_is_replaced_by_one_without()
    {
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("rm", "--force", left.Id);
        var restarting = await Docker.DoAsync("run", "--detach", "--name", Name, "--label", $"ragagent.name={Name}", "--restart", "always",
            "--env", "FAKE_APP_EXIT_CODE=1", left.Image);
        await WaitUntilAsync(
            async () => await Docker.DoAsync("inspect", "--format", "{{.State.Status}}", restarting) == "restarting",
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
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("kill", left.Id);
        var inspected = (await Docker.InspectAsync(left.Id))!;
        inspected["State"]!["Status"] = state;
        inspected["State"]!["Dead"] = state == "dead";
        await StartEngineProxyAsync(new Uri(Docker.Host), async context =>
        {
            if (!context.Request.Path.Value!.EndsWith($"/containers/{left.Id}/json", StringComparison.Ordinal) ||
                !(await ContainersAsync(Docker)).Contains(left.Id))
            {
                return false;
            }
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(inspected.ToJsonString());
            return true;
        });

        var agent = StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(left.Id, await ContainersAsync(Docker));
        Assert.Single(await ContainersAsync(Docker));
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task A_container_restarted_by_hand_without_an_agent_is_replaced_to_restore_its_secret()
    {
        var left = await LeaveContainerAsync();
        await Docker.DoAsync("stop", "--time", "1", left.Id);
        await Docker.DoAsync("start", left.Id);
        // Its shell still waits for the secrets.
        Assert.Equal("true", await Docker.DoAsync("inspect", "--format", "{{.State.Running}}", left.Id));

        var agent = StartAgent();
        await WaitUntilServingAsync();

        Assert.DoesNotContain(left.Id, await ContainersAsync(Docker));
        Assert.Equal(left.KeyServed, (await GetAsync("/key-sha256")).Body);
        await agent.WaitForLogAsync("it was restarted by someone else, without its secrets");
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
