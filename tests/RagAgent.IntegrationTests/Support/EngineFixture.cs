using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(EngineFixture))]

namespace RagAgent.IntegrationTests.Support;

/// <summary>One private Docker Engine and the binary under test, shared by all tests.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    // Short, because a socket's path has at most 107 characters.
    private readonly string _folder = Path.Combine("/tmp", $"ragit.{Guid.NewGuid():N}"[..14]);

    /// <summary>The agent under test: <c>RAGAGENT_BINARY</c>, or the build of the same configuration as these tests.</summary>
    public static string Binary { get; } = Environment.GetEnvironmentVariable("RAGAGENT_BINARY") is { Length: > 0 } set
        ? set
        : Path.Combine(
            RepositoryFiles.PathOf("src/RagAgent/bin"),
            new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name,
            "net10.0/linux-x64/ragagent");

    internal DockerCli Docker { get; private set; } = null!;

    /// <summary>Images are built and removed one at a time, so that no cleanup removes a layer that a build is about to share.</summary>
    internal SemaphoreSlim ImageLock { get; } = new(1);

    public async ValueTask InitializeAsync()
    {
        Assert.True(File.Exists(Binary), $"The agent is not built: {Binary} is missing.");
        var started = await RunScriptAsync("scripts/engine.sh", "start", _folder);
        Docker = new DockerCli(started.AssertSucceeded().Split('\n')[^1], Path.Combine(_folder, "client"));
    }

    public async ValueTask DisposeAsync()
    {
        await RunScriptAsync("scripts/engine.sh", "stop", _folder);
        ImageLock.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    internal static Task<ProcessResult> RunScriptAsync(string script, params string[] arguments) =>
        ProcessRunner.RunAsync(RepositoryFiles.PathOf(script), arguments, new Dictionary<string, string>
        {
            ["HOME"] = Environment.GetEnvironmentVariable("HOME") ?? "/root",
            ["PATH"] = Environment.GetEnvironmentVariable("PATH") ?? "/usr/bin",
        });
}
