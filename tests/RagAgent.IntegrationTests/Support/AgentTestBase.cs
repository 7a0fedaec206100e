using System.Net;
using System.Text.Json.Nodes;
using LocalAws;
using RagAgent.Common;
using RagAgent.Control;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A machine for one test: its own LocalAws, its own container name on the shared engine, and an agent.</summary>
public abstract class AgentTestBase(EngineFixture engineFixture) : IAsyncLifetime
{
    /// <summary>Generous, because only a failing test waits this long.</summary>
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    protected const string Parameter = "/ragstream/OPENAI_API_KEY";

    private readonly string _folder = Path.Combine("/tmp", $"ragat.{Guid.NewGuid():N}"[..16]);
    private readonly List<AgentProcess> _agents = [];
    private readonly Stack<IAsyncDisposable> _disposables = [];

    protected static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    protected string Folder => _folder;

    /// <summary>The container's name.</summary>
    protected string Name { get; } = $"app-{Guid.NewGuid():N}"[..12];

    protected string Key { get; } = $"sk-planted-{Guid.NewGuid():N}";

    protected int Port { get; } = FreePort();

    protected LocalAwsServer Aws { get; private set; } = null!;

    internal DockerCli Docker { get; private set; } = null!;

    protected HttpClient Http { get; } = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    protected string RuntimeDirectory => Path.Combine(_folder, "run");

    protected string StateDirectory => Path.Combine(_folder, "state");

    protected string ConfigFile => Path.Combine(_folder, "ragagent.json");

    protected string Repository => $"{Aws.RegistryHost}/ragstream-web";

    /// <summary>The agent's whole environment. It inherits nothing from the test run and never sees a real metadata service.</summary>
    protected Dictionary<string, string> AgentEnvironment { get; } = [];

    /// <summary>The README's configuration with probes fast enough for tests. Each test changes what it is about.</summary>
    protected JsonObject Config { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_folder);
        File.SetUnixFileMode(_folder, (UnixFileMode)0b111_101_101);
        Aws = await LocalAwsServer.StartAsync(new LocalAwsOptions { StorageDirectory = Path.Combine(_folder, "aws") }, TestCancellation);
        Docker = new DockerCli(engineFixture.Docker.Host, Path.Combine(_folder, "docker"));
        Aws.Parameters.Put(Parameter, Key);
        foreach (var (name, value) in Aws.EnvironmentForAgent())
        {
            AgentEnvironment[name] = value;
        }
        AgentEnvironment["AWS_EC2_METADATA_DISABLED"] = "false";
        AgentEnvironment["DOCKER_HOST"] = Docker.Host;
        Config = new JsonObject
        {
            ["image"] = "ragstream-web",
            ["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = Parameter },
            ["container"] = new JsonObject { ["name"] = Name, ["stopTimeout"] = "2s" },
            ["listen"] = new JsonObject { ["http"] = Port },
            ["health"] = new JsonObject
            {
                ["startup"] = new JsonObject { ["interval"] = "100ms", ["timeout"] = "2s", ["deadline"] = "60s" },
                ["gate"] = new JsonObject { ["webSocket"] = null },   // the light fake app has no WebSocket
                ["liveness"] = new JsonObject { ["interval"] = "200ms", ["timeout"] = "1s", ["failures"] = 3 },
            },
            ["restart"] = new JsonObject { ["firstDelay"] = "200ms", ["maxDelay"] = "1s" },
            ["update"] = new JsonObject { ["every"] = null },
        };
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.DisposeAsync();
        }
        foreach (var disposable in _disposables)
        {
            await disposable.DisposeAsync();
        }
        await Docker.RunAsync(["rm", "--force", "--volumes", Name, .. await AgentContainersAsync()]);
        await WithImageLockAsync(async () =>
        {
            var images = await Docker.RunAsync("images", "--quiet", "--no-trunc", Repository);
            foreach (var image in images.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct())
            {
                await Docker.RunAsync("rmi", "--force", image);
            }
        });
        await Aws.DisposeAsync();
        Http.Dispose();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Disposes something that the agent depends on, after the agent and even if the test fails.</summary>
    protected T DisposeWithTest<T>(T disposable)
        where T : IAsyncDisposable
    {
        _disposables.Push(disposable);
        return disposable;
    }

    /// <summary>The ids of all containers of this test's agent, running or not.</summary>
    internal async Task<string[]> ContainersAsync(DockerCli docker) =>
        PrivateEngine.Lines(
            (await docker.RunAsync("ps", "--all", "--quiet", "--no-trunc", "--filter", $"label=ragagent.name={Name}")).Output);

    /// <summary>Makes the app misbehave. tests/fake-app/README.md lists the variables.</summary>
    protected void ConfigureApp(params (string Name, string Value)[] behavior)
    {
        var environment = new JsonObject();
        foreach (var (name, value) in behavior)
        {
            environment[name] = value;
        }
        Config["environment"] = environment;
    }

    /// <summary>Builds a light fake app and pushes it, as CI does. The local image is removed, so that the agent must pull.</summary>
    protected Task PushAsync(string version = "1", string tag = "latest", params string[] more) =>
        BuildAndPushAsync("light", version, tag, more);

    /// <summary>Pushes a light fake app with the behavior built into its image.</summary>
    protected Task PushWithBehaviorAsync(string version, params (string Name, string Value)[] behavior) =>
        PushAsync(version, "latest", [.. behavior.SelectMany(h => new[] { "--behave", $"{h.Name}={h.Value}" })]);

    /// <summary>Pushes a fake app with Python and a WebSocket.</summary>
    protected Task PushFullAsync(string version, params string[] more) => BuildAndPushAsync("full", version, "latest", more);

    private Task BuildAndPushAsync(string kind, string version, string tag, params string[] more) => WithImageLockAsync(async () =>
    {
        var reference = $"{Repository}:{tag}";
        await LogInAsync();
        await PushAsync(reference, () => EngineFixture.RunScriptAsync(
            "tests/fake-app/build.sh",
            ["--engine", Docker.Host, "--tag", reference, "--version", version, "--base", kind, .. more]));
    });

    /// <summary>Builds an image, pushes it and removes it from the engine.</summary>
    /// <remarks>
    /// Agents run on the same engine. An agent's cleanup takes an image of its repository that nothing needs yet for an old one, and the
    /// engine removes an image's untagged parents with it, although a build is about to reuse them. Either way, the image is built again.
    /// </remarks>
    internal async Task PushAsync(string reference, Func<Task<ProcessResult>> build)
    {
        ProcessResult result;
        do
        {
            result = await build();
            if (result.ExitCode == 0)
            {
                result = await Docker.RunAsync("push", "--quiet", reference);
            }
        }
        while (result.ExitCode != 0 && WasCleanedUp(result.Error));
        result.AssertSucceeded();
        await Docker.RunCheckedAsync("rmi", "--force", reference);
    }

    private static bool WasCleanedUp(string error) =>
        error.Contains("tag does not exist", StringComparison.Ordinal) || error.Contains("unable to find image", StringComparison.Ordinal);

    /// <summary>Logs Docker in to the registry.</summary>
    protected async Task LogInAsync()
    {
        var (user, password) = Aws.DockerLogin;
        (await Docker.RunWithInputAsync(password, "login", "--username", user, "--password-stdin", Aws.RegistryHost)).AssertSucceeded();
    }

    /// <summary>Builds a folder with a Dockerfile and pushes the image as <c>latest</c>.</summary>
    protected Task BuildAndPushAsync(string folder) => WithImageLockAsync(async () =>
    {
        var reference = $"{Repository}:latest";
        await LogInAsync();
        await PushAsync(reference, () => Docker.RunAsync("build", "--quiet", "--tag", reference, folder));
    });

    /// <summary>See <see cref="EngineFixture.ImageLock"/>.</summary>
    protected async Task WithImageLockAsync(Func<Task> action)
    {
        await engineFixture.ImageLock.WaitAsync(TestCancellation);
        try
        {
            await action();
        }
        finally
        {
            engineFixture.ImageLock.Release();
        }
    }

    internal AgentProcess StartAgent()
    {
        WriteConfig();
        return StartAgent(
            EngineFixture.Binary, ["run", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory]);
    }

    internal AgentProcess StartAgent(string program, IReadOnlyList<string> arguments)
    {
        var agent = new AgentProcess(program, arguments, AgentEnvironment);
        _agents.Add(agent);
        return agent;
    }

    protected void WriteConfig() => File.WriteAllText(ConfigFile, Config.ToJsonString());

    /// <summary>Restarts the agent within its process. That requires a changed file, so this appends a comment.</summary>
    internal Task ReloadAsync(AgentProcess agent)
    {
        File.AppendAllText(ConfigFile, "\n// changed");
        return agent.SignalAsync("HUP");
    }

    /// <summary>Runs a command of the agent's binary.</summary>
    internal Task<ProcessResult> RunCommandAsync(params string[] arguments) =>
        ProcessRunner.RunAsync(EngineFixture.Binary, arguments, AgentEnvironment, stopping: TestCancellation);

    /// <summary>The hash of a password for <c>access.password</c>.</summary>
    protected static async Task<string> HashAsync(string password) =>
        (await ProcessRunner.RunAsync(EngineFixture.Binary, ["password"], input: password + "\n", stopping: TestCancellation))
            .AssertSucceeded()
            .Trim();

    internal Task<ProcessResult> UpdateAsync() => RequestAsync("update");

    /// <summary>Sends an operator's command to the running agent: update, rollback, unquarantine, stop, start, status.</summary>
    internal Task<ProcessResult> RequestAsync(string what) => RunCommandAsync(what, "--runtime-dir", RuntimeDirectory);

    /// <summary>Sets how a new image takes over and how long it is watched.</summary>
    protected void ConfigureUpdate(string swap, string watch) =>
        Config["update"] = new JsonObject { ["every"] = null, ["swap"] = swap, ["watch"] = watch };

    /// <summary>The ids of all containers of this agent on the shared engine, running or not.</summary>
    protected async Task<string[]> AgentContainersAsync() =>
        PrivateEngine.Lines(
            (await Docker.RunAsync("ps", "--all", "--quiet", "--no-trunc", "--filter", $"label=ragagent.name={Name}")).Output);

    /// <summary>Records what happens to this agent's containers from now on.</summary>
    internal Task<ContainerHistory> WatchContainersAsync() => ContainerHistory.StartAsync(Docker, Name);

    /// <summary>Kills the agent and removes its containers, as a reboot would. Images and the state directory remain.</summary>
    internal async Task RebootAsync()
    {
        foreach (var agent in _agents)
        {
            await agent.StopAsync("KILL");
        }
        foreach (var container in await AgentContainersAsync())
        {
            await Docker.RunCheckedAsync("rm", "--force", "--volumes", container);
        }
    }

    /// <summary>Serves a first image and waits until it has passed its watch.</summary>
    internal async Task<StatusDocument> ServeGoodAsync(string version = "good", params (string Name, string Value)[] behavior)
    {
        await PushWithBehaviorAsync(version, behavior);
        StartAgent();
        return await WaitForAsync(s => s.App.State == "serving" && s.Rollout.Phase == "settled", "the first image has passed its watch");
    }

    /// <summary>Waits until the agent's status meets the condition. A failure shows the last status and the log.</summary>
    internal async Task<StatusDocument> WaitForAsync(Func<StatusDocument, bool> condition, string what)
    {
        using var client = new ControlClient(RuntimeDirectory);
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        timeout.CancelAfter(Timeout);
        StatusDocument? status = null;
        while (true)
        {
            try
            {
                status = await client.StatusAsync(status?.Revision, timeout.Token);
                if (condition(status))
                {
                    return status;
                }
            }
            catch (Exception exception) when (exception is ProblemException or HttpRequestException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestCancellation);   // the agent does not listen yet
            }
            catch (OperationCanceledException) when (!TestCancellation.IsCancellationRequested)
            {
                var logs = _agents.Select(agent => string.Join('\n', agent.Log.Split('\n').TakeLast(25)));
                Assert.Fail($"Not within {Timeout}: {what}.\nThe last headline: {status?.Headline}\n{string.Join("\n---\n", logs)}");
            }
        }
    }

    internal Task<StatusDocument> WaitUntilServingAsync() => WaitForAsync(s => s.App.State == "serving", "the app serves");

    /// <summary>Waits until the status has a problem with this code.</summary>
    internal async Task<ProblemStatus> WaitForProblemAsync(string code)
    {
        var status = await WaitForAsync(s => s.Problems.Any(p => p.Code == code), $"the problem {code} is reported");
        return status.Problems.First(p => p.Code == code);
    }

    internal async Task<FailureStatus> WaitForFailureAsync(string code) =>
        (await WaitForAsync(s => s.LastFailure?.Problem.Code == code, $"the failure {code} is reported")).LastFailure!;

    protected async Task<(HttpStatusCode Status, string Body)> GetAsync(string path = "/")
    {
        using var response = await Http.GetAsync(new Uri($"http://127.0.0.1:{Port}{path}"), TestCancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation));
    }

    protected async Task<string> ServedVersionAsync()
    {
        var (status, body) = await GetAsync();
        Assert.Equal(HttpStatusCode.OK, status);
        const string before = "<b id=\"version\">";
        var from = body.IndexOf(before, StringComparison.Ordinal) + before.Length;
        return body[from..body.IndexOf('<', from)];
    }

    /// <summary>Waits until clients get this version.</summary>
    protected Task WaitForVersionAsync(string version) => WaitUntilAsync(async () =>
        await GetAsync() is (HttpStatusCode.OK, var body) && body.Contains($"<b id=\"version\">{version}<", StringComparison.Ordinal),
        $"{version} serves");

    /// <summary>Waits for a condition that the status does not show.</summary>
    protected static async Task WaitUntilAsync(Func<Task<bool>> condition, string what)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        timeout.CancelAfter(Timeout);
        while (!await condition())
        {
            Assert.False(timeout.IsCancellationRequested, $"Not within {Timeout}: {what}.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestCancellation);
        }
    }

    /// <summary>A port outside the kernel's ephemeral range, so that no other connection takes it in the meantime.</summary>
    protected static int FreePort() => RagAgent.Tests.Support.FreePort.Find();
}
