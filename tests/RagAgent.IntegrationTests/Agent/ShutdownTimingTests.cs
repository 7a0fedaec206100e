using System.Net.WebSockets;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The agent stops, reloads or restarts at a bad moment.</summary>
public sealed class ShutdownTimingTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task A_starting_container_gets_its_secrets_before_the_agent_exits()
    {
        await PushAsync();
        await using var slow = new DelayingEngineProxy(
            Path.Combine(Folder, "slow.sock"), new Uri(Docker.Host).LocalPath, "/start", TimeSpan.FromSeconds(5));
        AgentEnvironment["DOCKER_HOST"] = $"unix://{slow.Path}";
        var agent = StartAgent();
        await slow.Reached.WaitAsync(TimeSpan.FromSeconds(60), TestCancellation);

        var code = await agent.StopAsync();

        Assert.True((await Docker.InspectAsync(Name))?["State"]!["Running"]!.GetValue<bool>(), $"exit code {code}; the container: {(await Docker.InspectAsync(Name))?["State"]}");
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task The_agent_ends_while_clients_have_not_answered_the_close_of_their_WebSockets()
    {
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var sockets = new List<ClientWebSocket>();
        for (var i = 0; i < 5; i++)
        {
            var socket = new ClientWebSocket();
            sockets.Add(socket);
            socket.Options.Proxy = null;
            socket.Options.AddSubProtocol("streamlit");
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
        }
        await WaitForAsync(s => s.App.Sessions == 5, "the sessions are open");

        var began = TimeProvider.System.GetTimestamp();
        Assert.Equal(0, await agent.StopAsync());   // nobody has read from the sockets yet

        TestContext.Current.SendDiagnosticMessage($"It ended {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.00} s after SIGTERM.");
        foreach (var socket in sockets)
        {
            var received = await socket.ReceiveAsync(new byte[1000], TestCancellation);
            Assert.Equal((WebSocketMessageType.Close, 1012), (received.MessageType, (int)received.CloseStatus!));
            socket.Dispose();
        }
    }

    [Fact]
    public async Task A_reload_during_a_slow_container_start_does_not_end_the_agent()
    {
        await PushAsync();
        await using var slow = new DelayingEngineProxy(
            Path.Combine(Folder, "slow.sock"), new Uri(Docker.Host).LocalPath, "/start", TimeSpan.FromSeconds(24));
        AgentEnvironment["DOCKER_HOST"] = $"unix://{slow.Path}";
        var agent = StartAgent();
        await slow.Reached.WaitAsync(TimeSpan.FromSeconds(60), TestCancellation);

        await ReloadAsync(agent);

        await WaitUntilServingAsync();
        await agent.WaitForLogAsync("exits before the engine has started the container");
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task A_secret_that_this_agent_has_not_read_does_not_leak_through_the_apps_last_lines()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        await first.StopAsync();
        Aws.Faults.Add(Operations.GetParameter, new Fault.Cut());
        var second = StartAgent();
        await WaitUntilServingAsync();
        await Docker.RunCheckedAsync("exec", Name, "/bin/sh", "-c", $"echo 'Incorrect API key provided: {Key}' >/proc/1/fd/2");
        await Docker.RunCheckedAsync("kill", Name);
        await WaitForAsync(s => s.LastFailure is not null, "the failure is reported");

        Assert.DoesNotContain(Key, second.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reload_refuses_another_container_name_because_it_would_leave_a_second_writer()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        Config["container"]!["name"] = $"{Name}b";
        WriteConfig();

        await agent.SignalAsync("HUP");

        await agent.WaitForLogAsync("The previous one stays in use.");
        await agent.WaitForLogAsync($"container.name: can't change while the agent runs: '{Name}' would keep running next to the new container");
        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        Assert.Null(await Docker.InspectAsync($"{Name}b"));
    }
}
