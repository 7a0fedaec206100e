using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>
/// Updates that coincide with something else: another update, a moving tag, a crash loop, an engine that refuses to clean up.
/// </summary>
public sealed class UpdateRaceTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Theory]
    [InlineData("start-first")]
    [InlineData("stop-first")]
    public async Task A_tag_that_moves_during_an_update_is_followed_to_its_newest_image(string swap)
    {
        ConfigureUpdate(swap, "2s");
        await ServeGoodAsync("first");
        await PushWithBehaviorAsync("second", ("FAKE_APP_START_AFTER", "6"));
        var update = UpdateAsync();
        await WaitForAsync(s => s.Rollout.Phase == "candidate", "the second image is being started");

        await PushAsync("third");
        var another = await UpdateAsync();

        another.AssertSucceeded();
        (await update).AssertSucceeded();
        Assert.Equal("third", await ServedVersionAsync());
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1, "one container is left");
        Assert.Null((await WaitForAsync(s => s.Rollout.Phase == "settled", "the watch is over")).Rollout.SetAside);
    }

    [Fact]
    public async Task Two_simultaneous_updates_become_one_and_both_report_the_result()
    {
        ConfigureUpdate("auto", "2s");
        await ServeGoodAsync("old");
        await PushWithBehaviorAsync("new", ("FAKE_APP_START_AFTER", "2"));
        await using var history = await WatchContainersAsync();

        var both = await Task.WhenAll(UpdateAsync(), UpdateAsync());

        var digest = (await WaitUntilServingAsync()).App.Digest!;
        Assert.All(both, update => Assert.EndsWith($"{digest[..19]} serves now.", update.AssertSucceeded(), StringComparison.Ordinal));
        Assert.Equal("new", await ServedVersionAsync());
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1 && history.Alive == 1, "one container is left");
        Assert.Equal(1, history.StartsOf(digest));
    }

    [Fact]
    public async Task An_app_in_a_crash_loop_can_be_updated()
    {
        Config["restart"]!["maxDelay"] = "10m";
        await PushWithBehaviorAsync("bad", ("FAKE_APP_EXIT_CODE", "3"));
        StartAgent();
        await WaitForAsync(s => s.App.CrashLooping, "the app is reported as crash looping");
        await PushAsync("good");

        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("good", await ServedVersionAsync());
        Assert.Single(await AgentContainersAsync());
    }

    [Theory]
    [InlineData("start-first")]
    [InlineData("stop-first")]
    public async Task A_container_that_the_engine_will_not_remove_does_not_fail_the_update(string swap)
    {
        var refuses = true;
        var engine = new Uri(Docker.Host).LocalPath;
        await using var engineProxy = await EngineProxy.StartAsync(Path.Combine(Folder, "proxy.sock"), engine, async context =>
        {
            if (!refuses || context.Request.Method != "DELETE")
            {
                return false;
            }
            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"message": "driver failed to remove root filesystem: device or resource busy"}""");
            return true;
        });
        AgentEnvironment["DOCKER_HOST"] = $"{engineProxy.Socket}";
        // Secrets go through the environment, because this proxy does not pass on standard input.
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["ssm"] = Parameter, ["delivery"] = "environment" } };
        ConfigureUpdate(swap, "1s");
        await ServeGoodAsync("1");

        foreach (var version in new[] { "2", "3" })
        {
            await UpdateToAsync(version);
        }
        Assert.Equal(3, (await AgentContainersAsync()).Length);

        refuses = false;
        await UpdateToAsync("4");
        await WaitUntilAsync(
            async () => (await AgentContainersAsync()).Length == 1 && await Docker.InspectAsync(Name) is not null,
            "all leftovers are removed, and the serving container has the configured name");
        await UpdateToAsync("5");
        await WaitUntilAsync(
            async () => PrivateEngine.Lines(await Docker.RunCheckedAsync("images", "--digests", "--quiet", Repository)).Length == 2,
            "the old images are removed too");
    }

    private async Task UpdateToAsync(string version)
    {
        await PushAsync(version);
        (await UpdateAsync()).AssertSucceeded();
        Assert.Equal(version, await ServedVersionAsync());
        await WaitForAsync(
            s => s is { App: { State: "serving", Newest: true }, Rollout.Phase: "settled" }, $"{version} has passed its watch");
    }
}
