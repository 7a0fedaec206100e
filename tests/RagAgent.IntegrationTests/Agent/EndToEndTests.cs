using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

public sealed class EndToEndTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task An_app_is_pulled_and_served_from_an_empty_disk()
    {
        await PushAsync("first");
        var agent = StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Equal("first", await ServedVersionAsync());
        Assert.Equal($"{Repository}:latest", status.Image.Reference);
        Assert.Equal(status.Image.Digest, status.App.Digest);
        Assert.True(status.App.Newest);
        Assert.Contains("OPENAI_API_KEY (version 1 of parameter /ragstream/OPENAI_API_KEY)", status.Secrets.Versions);
        Assert.Equal(0, await agent.StopAsync());
    }

    [Fact]
    public async Task Only_the_app_has_the_secret()
    {
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();

        var arrived = (await GetAsync("/key-sha256")).Body.Trim();
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key))), arrived);
        Assert.DoesNotContain(Key, (await Docker.InspectAsync(Name))!.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Key, await Docker.RunCheckedAsync("logs", Name), StringComparison.Ordinal);
        Assert.DoesNotContain(Key, agent.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Key,
            (await RunCommandAsync("status", "--json", "--runtime-dir", RuntimeDirectory)).AssertSucceeded(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_and_status_see_the_progress_of_a_pull()
    {
        Config["page"] = new JsonObject { ["details"] = "full" };
        await PushAsync("1", "latest", "--ballast", "20m");
        Aws.Faults.Add(Operations.RegistryBlob, new LocalAws.Faults.Fault.Throttle(8_000_000));
        StartAgent();
        var status = await WaitForAsync(s => s.Image.Pull is { Percent: > 0 }, "the pull has begun");

        var (code, body) = await GetAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, code);
        Assert.Matches(@"^Pulling 127\.0\.0\.1:\d+/ragstream-web:latest: \d+ % \(.+ of 2\d MB\)\.$", JsonNode.Parse(body)!["message"]!.GetValue<string>());
        Assert.InRange(status.Image.Pull!.TotalBytes, 20_000_000, 30_000_000);

        Aws.Faults.Clear();
        await WaitUntilServingAsync();
    }

    [Fact]
    public async Task A_digest_that_is_on_disk_is_not_pulled()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        await first.StopAsync();
        await Docker.RunCheckedAsync("rm", "--force", Name);   // the image stays
        Aws.Requests.Clear();

        StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(0, Aws.Requests.Count(Operations.RegistryBlob));
        Assert.Equal(["HEAD"], Aws.Requests.ByOperation(Operations.RegistryManifest).Select(r => r.Method).Distinct());
    }

    [Fact]
    public async Task The_container_is_created_as_configured_and_published_on_loopback_only()
    {
        var data = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName;
        Config["container"]!["memory"] = "64m";
        Config["container"]!["cpus"] = 0.5;
        Config["container"]!["user"] = "1000:1000";
        Config["container"]!["readOnlyRoot"] = false;
        Config["container"]!["volumes"] = new System.Text.Json.Nodes.JsonArray(
            new System.Text.Json.Nodes.JsonObject { ["host"] = data, ["container"] = "/app/data/chroma_db" });
        Config["environment"] = new System.Text.Json.Nodes.JsonObject { ["PLAIN"] = "as it is" };
        await PushAsync();
        StartAgent();
        var status = await WaitUntilServingAsync();

        var container = (await Docker.InspectAsync(Name))!;
        var host = container["HostConfig"]!;
        Assert.Equal(64 * 1024 * 1024, host["Memory"]!.GetValue<long>());
        Assert.Equal(500_000_000, host["NanoCpus"]!.GetValue<long>());
        Assert.Equal("no", host["RestartPolicy"]!["Name"]!.GetValue<string>());
        Assert.True(host["Init"]!.GetValue<bool>());
        Assert.Equal("local", host["LogConfig"]!["Type"]!.GetValue<string>());
        var mount = Assert.Single(container["Mounts"]!.AsArray())!;
        Assert.Equal(
            ("bind", data, "/app/data/chroma_db", true),
            ((string)mount["Type"]!, (string)mount["Source"]!, (string)mount["Destination"]!, (bool)mount["RW"]!));
        Assert.Equal("1000:1000", container["Config"]!["User"]!.GetValue<string>());
        Assert.Equal(2, container["Config"]!["StopTimeout"]!.GetValue<int>());
        Assert.Contains("PLAIN=as it is", container["Config"]!["Env"]!.AsArray().Select(e => e!.GetValue<string>()));
        Assert.Equal(status.App.Digest, container["Config"]!["Labels"]!["ragagent.digest"]!.GetValue<string>());
        Assert.EndsWith("@" + status.App.Digest, container["Config"]!["Image"]!.GetValue<string>(), StringComparison.Ordinal);
        var published = container["NetworkSettings"]!["Ports"]!["8501/tcp"]!.AsArray().Select(p => p!["HostIp"]!.GetValue<string>());
        Assert.Equal(["127.0.0.1"], published);
    }

    [Fact]
    public async Task An_image_index_resolves_to_the_image_for_this_machine()
    {
        await PushAsync("amd", "amd64");
        await PushAsync("arm", "arm64", "--platform", "linux/arm64");
        var wanted = await OciIndexPublisher.PushAsync(
            Http, Aws, "ragstream-web", "latest", [("amd64", "amd64"), ("arm64", "arm64")], TestCancellation);

        StartAgent();
        var status = await WaitUntilServingAsync();

        Assert.Equal("amd", await ServedVersionAsync());
        Assert.Equal(wanted.Image, status.App.Digest);
        Assert.Equal(wanted.Index, status.Image.TagDigest);
    }

    [Fact]
    public async Task A_stopped_agent_leaves_the_app_and_a_new_agent_adopts_it()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        Assert.Equal(0, await first.StopAsync());
        Assert.Equal(started, await Docker.StartedAtAsync(Name));

        var second = StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(started, await Docker.StartedAtAsync(Name));
        await second.WaitForLogAsync("which was already running");
    }

    [Fact]
    public async Task An_open_session_does_not_delay_the_agents_shutdown()
    {
        Config["health"]!["gate"]!["webSocket"] = "/_stcore/stream";
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        using var session = new ClientWebSocket();
        session.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{Port}");
        await session.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);
        await WaitForAsync(s => s.App.Sessions == 1, "the session is counted");
        var started = await Docker.StartedAtAsync(Name);

        Assert.Equal(0, await agent.StopAsync());

        Assert.Equal(started, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task A_killed_agent_leaves_the_app_and_a_new_agent_adopts_it()
    {
        await PushAsync();
        var first = StartAgent();
        await WaitUntilServingAsync();
        var started = await Docker.StartedAtAsync(Name);
        await first.StopAsync("KILL");

        StartAgent();
        await WaitUntilServingAsync();

        Assert.Equal(started, await Docker.StartedAtAsync(Name));
    }

    [Fact]
    public async Task A_second_agent_for_the_same_container_exits_with_a_clear_message()
    {
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();

        var second = await RunCommandAsync(
            "run", "--config", ConfigFile, "--runtime-dir", Path.Combine(Folder, "other"), "--state-dir", StateDirectory);

        Assert.Equal(75, second.ExitCode);
        Assert.Equal($"ragagent: Another RagAgent on this machine already manages the container {Name}. " +
            "Use it ('ragagent status'), stop it ('systemctl stop ragagent'), or set another container.name.", second.Error.Trim());
        Assert.Equal("serving", (await WaitUntilServingAsync()).App.State);
    }

    [Fact]
    public async Task The_exit_code_of_status_says_whether_the_app_serves()
    {
        var before = await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory);
        Assert.Equal(3, before.ExitCode);
        Assert.StartsWith("ragagent: No agent is running here: nothing answers on ", before.Error, StringComparison.Ordinal);

        await PushAsync();
        StartAgent();
        var status = await WaitUntilServingAsync();
        var text = (await RunCommandAsync("status", "--runtime-dir", RuntimeDirectory)).AssertSucceeded();
        Assert.StartsWith(string.Create(CultureInfo.InvariantCulture, $"The app serves ({status.App.Digest![..19]})."), text, StringComparison.Ordinal);

        Aws.Parameters.Remove(Parameter);
        await Docker.RunCheckedAsync("stop", Name);
        await WaitForAsync(s => s.App.State != "serving", "the stop is seen");
    }
}
