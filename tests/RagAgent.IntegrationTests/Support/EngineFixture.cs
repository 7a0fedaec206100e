using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(EngineFixture))]

namespace RagAgent.IntegrationTests.Support;

/// <summary>What all tests share: one private Docker Engine, and the binary under test.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private readonly string _folder = Path.Combine("/tmp", $"ragit.{Guid.NewGuid():N}"[..14]);   // short: a socket's path may have 108 characters

    /// <summary>The built agent: what <c>RAGAGENT_BINARY</c> names, or the build beside these tests.</summary>
    public static string Binary { get; } = Environment.GetEnvironmentVariable("RAGAGENT_BINARY") is { Length: > 0 } set
        ? set
        : Path.Combine(RepositoryFiles.PathOf("src/RagAgent/bin"), new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, "net10.0/linux-x64/ragagent");

    internal DockerCli Docker { get; private set; } = null!;

    /// <summary>Images are built and removed one at a time: what one build shares with another must not be removed in between.</summary>
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
