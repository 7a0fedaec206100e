using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>An engine that a test may fill, break and restart.</summary>
public sealed class PrivateEngine : IAsyncLifetime
{
    private readonly string _folder = Path.Combine("/tmp", $"ragpe.{Guid.NewGuid():N}"[..14]);   // short: a socket's path may have 108 characters

    private string[] _options = [];

    internal DockerCli Docker { get; private set; } = null!;

    public Uri Socket => new(Docker.Host);

    /// <summary>What the engine calls its root: <c>/var/lib/docker</c> on a real machine.</summary>
    public string Data => Path.Combine(_folder, "data");

    public async ValueTask InitializeAsync() => await StartAsync();

    /// <param name="options">Of dockerd, as <c>--live-restore</c>; kept for every later start.</param>
    public static Task<PrivateEngine> StartNewAsync(params string[] options) => StartNewAsync(new PrivateEngine { _options = options });

    /// <summary>One whose images lie on a filesystem of their own.</summary>
    /// <param name="size">As mount takes it: <c>300m</c>.</param>
    public static async Task<PrivateEngine> OnSmallDiskAsync(string size)
    {
        var engine = new PrivateEngine();
        Directory.CreateDirectory(engine.Data);
        (await ProcessRunner.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}", "tmpfs", engine.Data])).AssertSucceeded();
        return await StartNewAsync(engine);
    }

    public async Task ResizeDiskAsync(string size) => (await ProcessRunner.RunAsync("mount", ["-o", $"remount,size={size}", Data])).AssertSucceeded();

    /// <summary>Without the images and containers of the test before.</summary>
    internal async Task RemoveAllAsync()
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
        await StopProcessAsync("KILL");
        meanwhile();
        await StartAsync();
    }

    /// <summary>As <c>systemctl restart docker</c> does it.</summary>
    public async Task RestartAsync()
    {
        await StopProcessAsync("TERM");
        await StartAsync();
    }

    /// <summary>To dockerd: <c>STOP</c> freezes it, <c>CONT</c> wakes it.</summary>
    public async Task SignalAsync(string signal) => (await ProcessRunner.RunAsync("kill", [$"-{signal}", $"{await ProcessAsync()}"])).AssertSucceeded();

    /// <summary>Ends dockerd, and returns when it is gone; what it ran may run on.</summary>
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
            await SignalAsync("CONT");   // one that a test has frozen can't be asked to stop
        }
        await EngineFixture.RunScriptAsync("scripts/engine.sh", "stop", _folder);   // unmounts the small disk as well
        await ProcessRunner.RunAsync("umount", [Data]);                            // unless the engine never came up
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

    /// <summary>A process that has ended and waits for its parent to notice is gone.</summary>
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
