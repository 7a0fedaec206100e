using System.Diagnostics;
using RagAgent.IntegrationTests.AwsBench;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Keeps every core busy until it is disposed, and never longer than <see cref="Longest"/>.</summary>
/// <remarks>With the lowest priority: what waits for its turn is the load itself, so the kernel tells of pressure while everything else goes on.</remarks>
internal sealed class Load : IAsyncDisposable
{
    private const string Account = "/proc/pressure/cpu";
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(3);

    private readonly Process[] _busy = [.. Enumerable.Range(0, Environment.ProcessorCount * 3)
        .Select(_ => Tool.Start("nice", ["-n", "19", "timeout", $"{Longest.TotalSeconds}", "sh", "-c", "while :; do :; done"]))];

    public static void SkipWithoutAccount() => Assert.SkipUnless(File.Exists(Account), "This kernel keeps no account of pressure.");

    /// <summary>Something waits for its turn all the time, by the kernel's account of the last ten seconds.</summary>
    public static async Task<bool> IsFeltAsync() =>
        double.Parse((await File.ReadAllTextAsync(Account)).Split("avg10=")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture) > 80;

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _busy)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
