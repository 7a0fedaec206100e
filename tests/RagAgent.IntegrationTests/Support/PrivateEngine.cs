using RagAgent.IntegrationTests.AwsBench;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>An engine that a test may fill, break and restart.</summary>
public sealed class PrivateEngine : IAsyncLifetime
{
    private readonly string _folder = Path.Combine("/tmp", $"ragpe.{Guid.NewGuid():N}"[..14]);   // short: a socket's path may have 108 characters

    internal DockerCli Docker { get; private set; } = null!;

    public Uri Socket => new(Docker.Host);

    /// <summary>What the engine calls its root: <c>/var/lib/docker</c> on a real machine.</summary>
    public string Data => Path.Combine(_folder, "data");

    public async ValueTask InitializeAsync() => await StartAsync();

    /// <summary>One whose images lie on a filesystem of their own.</summary>
    /// <param name="size">As mount takes it: <c>300m</c>.</param>
    public static async Task<PrivateEngine> OnSmallDiskAsync(string size)
    {
        var engine = new PrivateEngine();
        Directory.CreateDirectory(engine.Data);
        (await Tool.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}", "tmpfs", engine.Data])).Succeeded();
        try
        {
            await engine.StartAsync();
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }

    public async Task ResizeDiskAsync(string size) => (await Tool.RunAsync("mount", ["-o", $"remount,size={size}", Data])).Succeeded();

    /// <summary>Without the images and containers of the test before.</summary>
    internal async Task ClearAsync()
    {
        foreach (var container in Lines(await Docker.DoAsync("ps", "--all", "--quiet", "--no-trunc")))
        {
            await Docker.DoAsync("rm", "--force", "--volumes", container);
        }
        foreach (var image in Lines(await Docker.DoAsync("images", "--quiet", "--no-trunc")).Distinct())
        {
            await Docker.DoAsync("rmi", "--force", image);
        }
    }

    /// <summary>Ended without a chance to write anything, as by a power cut; what it holds in memory is lost.</summary>
    /// <param name="meanwhile">Done to its files while it is down.</param>
    public async Task CrashAsync(Action meanwhile)
    {
        await Tool.RunAsync("kill", ["-KILL", (await File.ReadAllTextAsync(Path.Combine(_folder, "pid"))).Trim()]);
        meanwhile();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Bench.ScriptAsync("scripts/engine.sh", "stop", _folder);   // unmounts the small disk as well
        await Tool.RunAsync("umount", [Data]);                            // unless the engine never came up
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    internal static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task StartAsync()
    {
        var started = await Bench.ScriptAsync("scripts/engine.sh", "start", _folder);
        Docker = new DockerCli(started.Succeeded().Split('\n')[^1], Path.Combine(_folder, "client"));
    }
}
