using System.Diagnostics;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Keeps every core busy until disposed, but at most for <see cref="MaxDuration"/>.</summary>
/// <remarks>
/// It has the lowest priority, so the load itself is what waits: the kernel reports pressure while everything else keeps running.
/// </remarks>
internal sealed class CpuLoad : IAsyncDisposable
{
    private const string PressureFile = "/proc/pressure/cpu";
    private static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(3);

    private readonly Process[] _processes = [.. Enumerable.Range(0, Environment.ProcessorCount * 3)
        .Select(_ => ProcessRunner.Start(
            "nice", ["-n", "19", "timeout", $"{MaxDuration.TotalSeconds}", "sh", "-c", "while :; do :; done"]))];

    public static void SkipWithoutPressureFile() => Assert.SkipUnless(File.Exists(PressureFile), "This kernel does not report pressure.");

    /// <summary>Waits until the kernel's average of the last ten seconds is well above the agent's threshold for pressure (60 %).</summary>
    /// <remarks>Waits as long as the load lasts, because a machine that was paused for a while has to catch up.</remarks>
    public async Task WaitUntilMeasurableAsync(CancellationToken stopping)
    {
        var account = await ReadAsync(stopping);
        while (account <= 80)
        {
            var busy = _processes.Count(process => !process.HasExited);
            Assert.True(
                busy == _processes.Length,
                $"The load has ended ({busy} of {_processes.Length} processes run), and the kernel reports {account} % for the last ten seconds.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stopping);
            account = await ReadAsync(stopping);
        }
    }

    private static async Task<double> ReadAsync(CancellationToken stopping) =>
        double.Parse(
            (await File.ReadAllTextAsync(PressureFile, stopping)).Split("avg10=")[1].Split(' ')[0],
            System.Globalization.CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
