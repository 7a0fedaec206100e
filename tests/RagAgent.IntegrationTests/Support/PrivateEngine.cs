using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A Docker Engine that a test may fill, break and restart.</summary>
public sealed class PrivateEngine : IAsyncLifetime
{
    // Short, because a socket's path has at most 107 characters.
    private readonly string _folder = Path.Combine("/tmp", $"ragpe.{Guid.NewGuid():N}"[..14]);

    private string[] _options = [];

    internal DockerCli Docker { get; private set; } = null!;

    public Uri Socket => new(Docker.Host);

    /// <summary>The engine's data root: <c>/var/lib/docker</c> on a real machine.</summary>
    public string Data => Path.Combine(_folder, "data");

    public async ValueTask InitializeAsync() => await StartAsync();

    /// <param name="options">Options of dockerd, such as <c>--live-restore</c>. Every later start uses them too.</param>
    public static Task<PrivateEngine> StartNewAsync(params string[] options) => StartNewAsync(new PrivateEngine { _options = options });

    /// <summary>Starts an engine whose data is on a separate, small filesystem.</summary>
    /// <param name="size">In mount's notation, such as <c>300m</c>.</param>
    public static async Task<PrivateEngine> StartOnSmallDiskAsync(string size)
    {
        var engine = new PrivateEngine();
        Directory.CreateDirectory(engine.Data);
        (await ProcessRunner.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}", "tmpfs", engine.Data])).AssertSucceeded();
        return await StartNewAsync(engine);
    }

    public async Task ResizeDiskAsync(string size) =>
        (await ProcessRunner.RunAsync("mount", ["-o", $"remount,size={size}", Data])).AssertSucceeded();

    /// <summary>Removes the containers and images that the previous test left.</summary>
    internal async Task RemoveAllAsync()
    {
        foreach (var container in Lines(await Docker.RunCheckedAsync("ps", "--all", "--quiet", "--no-trunc")))
        {
            await Docker.RunCheckedAsync("rm", "--force", "--volumes", container);
        }
        foreach (var image in Lines(await Docker.RunCheckedAsync("images", "--quiet", "--no-trunc")).Distinct())
        {
            await Docker.RunCheckedAsync("rmi", "--force", image);
        }
    }

    /// <summary>Kills the engine as a power cut would: what it has not written yet is lost.</summary>
    /// <param name="meanwhile">Runs while the engine is down.</param>
    public async Task CrashAsync(Action meanwhile)
    {
        await StopProcessAsync("KILL");
        meanwhile();
        await StartAsync();
    }

    /// <summary>Restarts the engine as <c>systemctl restart docker</c> does.</summary>
    public async Task RestartAsync()
    {
        await StopProcessAsync("TERM");
        await StartAsync();
    }

    /// <summary>Sends a signal to dockerd: <c>STOP</c> freezes it, <c>CONT</c> resumes it.</summary>
    public async Task SignalAsync(string signal) =>
        (await ProcessRunner.RunAsync("kill", [$"-{signal}", $"{await ProcessAsync()}"])).AssertSucceeded();

    /// <summary>Ends dockerd and returns once it is gone. Containers may keep running.</summary>
    public async Task StopProcessAsync(string signal)
    {
        var process = await ProcessAsync();
        await SignalAsync(signal);
        while (IsRunning(process))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    public async Task StartAsync()
    {
        var started = await EngineFixture.RunScriptAsync("scripts/engine.sh", ["start", _folder, .. _options]);
        Docker = new DockerCli(started.AssertSucceeded().Split('\n')[^1], Path.Combine(_folder, "client"));
    }

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(Path.Combine(_folder, "pid")) && IsRunning(await ProcessAsync()))
        {
            await SignalAsync("CONT");   // a frozen engine can't stop
        }
        await EngineFixture.RunScriptAsync("scripts/engine.sh", "stop", _folder);   // also unmounts the small disk
        await ProcessRunner.RunAsync("umount", [Data]);                            // needed if the engine never started
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    internal static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static async Task<PrivateEngine> StartNewAsync(PrivateEngine engine)
    {
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

    private async Task<int> ProcessAsync() =>
        int.Parse(await File.ReadAllTextAsync(Path.Combine(_folder, "pid")), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A zombie counts as gone.</summary>
    private static bool IsRunning(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
