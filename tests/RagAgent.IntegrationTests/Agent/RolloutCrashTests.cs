using System.Text.Json.Nodes;
using RagAgent.Control;
using RagAgent.IntegrationTests.Support;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>
/// Kills the agent at every request by which a rollout changes something on the engine, before the engine receives it and after the
/// engine has carried it out.
/// </summary>
/// <remarks>Each time, the next agent must bring the rollout to the same result, with one container and never two writers.</remarks>
public abstract class RolloutCrashTests(EngineFixture engineFixture, string swap, bool isGood) : AgentTestBase(engineFixture)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_at_any_engine_change_leads_to_the_same_result(bool engineHasDoneIt)
    {
        await PrepareAsync();
        await using var breakpoint = new EngineBreakpoint(Path.Combine(Folder, "breakpoint.sock"), new Uri(Docker.Host).LocalPath);
        var killedAt = new List<string>();

        while (await KillAtAsync(breakpoint, killedAt.Count + 1, engineHasDoneIt) is { } change)
        {
            killedAt.Add(change);
            Assert.True(killedAt.Count < 40, $"The rollout has too many changes: {string.Join(' ', killedAt)}");
        }

        TestContext.Current.SendDiagnosticMessage($"{GetType().Name}: killed at {string.Join(' ', killedAt)}");
        var missed = ExpectedChanges().Except(killedAt);
        Assert.True(!missed.Any(), $"Never killed at {string.Join(' ', missed)}, only at {string.Join(' ', killedAt)}.");
    }

    private string[] ExpectedChanges() => (swap, isGood) switch
    {
        ("start-first", true) => ["pull", "create", "attach", "start", "secrets", "stop", "remove", "rename"],
        _ => ["pull", "create", "attach", "start", "secrets", "stop", "remove"],
    };

    private async Task PrepareAsync()
    {
        ConfigureUpdate(swap, "1s");
        if (swap == "stop-first")
        {
            var data = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName;
            Config["container"]!["volumes"] = new JsonArray(new JsonObject { ["host"] = data, ["container"] = "/data" });
        }
        Config["container"]!["stopTimeout"] = "1s";
        Config["health"]!["startup"]!["deadline"] = isGood ? "60s" : "4s";
        await PushAsync($"old {Name}", "old");
        string[] never = isGood ? [] : ["--behave", "FAKE_APP_UNHEALTHY_FOR=forever"];
        await PushAsync($"new {Name}", "new", never);
    }

    /// <returns>The change at which the agent was killed, or null if the rollout has fewer changes.</returns>
    private async Task<string?> KillAtAsync(EngineBreakpoint breakpoint, int number, bool engineHasDoneIt)
    {
        await ResetAsync();
        AgentEnvironment["DOCKER_HOST"] = $"unix://{breakpoint.Path}";
        var agent = StartAgent();
        var old = (await WaitUntilServingAsync()).App.Digest!;
        await using var history = await WatchContainersAsync();
        await TagMover.MoveAsync(Http, Aws, "ragstream-web", "latest", "new", TestCancellation);
        var hit = breakpoint.BreakAt(number, engineHasDoneIt);

        using (var client = new ControlClient(RuntimeDirectory))
        {
            await client.RequestAsync("update", TestCancellation);
        }
        var ended = WaitUntilEndedAsync(old, history, $"without its change {number}");
        await Task.WhenAny(hit, ended);
        var wasKilled = hit.IsCompleted;
        if (wasKilled)
        {
            await agent.StopAsync("KILL");
            AgentEnvironment["DOCKER_HOST"] = Docker.Host;
            agent = StartAgent();
        }
        var at = wasKilled ? $"after a kill at change {number}, {await hit}, {(engineHasDoneIt ? "done" : "not done")}" : "without a kill";

        await WaitUntilEndedAsync(old, history, at);
        Assert.Equal($"{(isGood ? "new" : "old")} {Name}", await ServedVersionAsync());
        Assert.True(history.MaxAlive <= (swap == "stop-first" ? 1 : 2), $"{history.MaxAlive} lived at once {at}");
        await agent.StopAsync("KILL");
        return wasKilled ? await hit : null;
    }

    /// <summary>Waits for the verdict and for what follows it: a loaded machine removes and renames containers seconds later.</summary>
    private async Task WaitUntilEndedAsync(string old, ContainerHistory history, string at)
    {
        await WaitForVerdictAsync(old, at);
        await WaitUntilAsync(async () => (await AgentContainersAsync()).Length == 1 && history.Alive == 1, $"one container is left {at}");
        await WaitUntilAsync(
            async () => await Docker.InspectAsync(Name) is { } left && left["State"]!["Running"]!.GetValue<bool>(),
            $"the remaining container has the configured name {at}");
    }

    private Task<StatusDocument> WaitForVerdictAsync(string old, string at) => isGood
        ? WaitForAsync(
            s => s.App is { State: "serving", Newest: true } && s.App.Digest != old && s.Rollout is { Phase: "settled", SetAside: null },
            $"the new image serves and has passed its watch, {at}")
        : WaitForAsync(
            s => s.App is { State: "serving", Newest: false } &&
                s.App.Digest == old &&
                s.Rollout is { Candidate: null, SetAside.Verdict: "quarantined" },
            $"the old image serves and the new one is quarantined, {at}");

    /// <summary>Resets the machine to before the rollout: the tag is old, and nothing is known of the new image.</summary>
    private async Task ResetAsync()
    {
        await RebootAsync();
        if (Directory.Exists(StateDirectory))
        {
            Directory.Delete(StateDirectory, recursive: true);
        }
        await TagMover.MoveAsync(Http, Aws, "ragstream-web", "latest", "old", TestCancellation);
        var images = await Docker.RunCheckedAsync("images", "--digests", "--format", "{{.Repository}}@{{.Digest}}", Repository);
        foreach (var image in PrivateEngine.Lines(images))
        {
            await Docker.RunAsync("rmi", image);   // also the old one, because its pull is quick and not part of the rollout
        }
    }
}

public sealed class CrashDuringGoodStartFirstRolloutTests(EngineFixture engineFixture) : RolloutCrashTests(
    engineFixture, "start-first", isGood: true);

public sealed class CrashDuringBadStartFirstRolloutTests(EngineFixture engineFixture) : RolloutCrashTests(
    engineFixture, "start-first", isGood: false);

public sealed class CrashDuringGoodStopFirstRolloutTests(EngineFixture engineFixture) : RolloutCrashTests(
    engineFixture, "stop-first", isGood: true);

public sealed class CrashDuringBadStopFirstRolloutTests(EngineFixture engineFixture) : RolloutCrashTests(
    engineFixture, "stop-first", isGood: false);
