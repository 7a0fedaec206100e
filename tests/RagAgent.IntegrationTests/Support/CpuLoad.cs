using System.Diagnostics;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Keeps every core busy until it is disposed, and never longer than <see cref="MaxDuration"/>.</summary>
/// <remarks>With the lowest priority: what waits for its turn is the load itself, so the kernel tells of pressure while everything else goes on.</remarks>
internal sealed class CpuLoad : IAsyncDisposable
{
    private const string PressureFile = "/proc/pressure/cpu";
    private static readonly TimeSpan MaxDuration = TimeSpan.FromMinutes(3);

    private readonly Process[] _processes = [.. Enumerable.Range(0, Environment.ProcessorCount * 3)
        .Select(_ => ProcessRunner.Start("nice", ["-n", "19", "timeout", $"{MaxDuration.TotalSeconds}", "sh", "-c", "while :; do :; done"]))];

    public static void SkipWithoutPressureFile() => Assert.SkipUnless(File.Exists(PressureFile), "This kernel keeps no account of pressure.");

    /// <summary>Waits until the kernel's account of the last ten seconds is well above what the agent takes for a shortage (60 %).</summary>
    /// <remarks>As long as the load itself lasts: a machine that was paused for a while has to catch up.</remarks>
    public async Task WaitUntilMeasurableAsync(CancellationToken stopping)
    {
        var account = await ReadAsync(stopping);
        while (account <= 80)
        {
            var busy = _processes.Count(process => !process.HasExited);
            Assert.True(busy == _processes.Length, $"The load is over ({busy} of {_processes.Length} processes run), and the kernel tells of {account} % for the last ten seconds.");
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, stopping);
            account = await ReadAsync(stopping);
        }
    }

    private static async Task<double> ReadAsync(CancellationToken stopping) =>
        double.Parse((await File.ReadAllTextAsync(PressureFile, stopping)).Split("avg10=")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

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
