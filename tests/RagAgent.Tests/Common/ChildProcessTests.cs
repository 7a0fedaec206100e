using System.Globalization;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Common;

public sealed class ChildProcessTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-test");

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Output_errors_and_exit_code_of_a_program_are_collected()
    {
        var result = await ChildProcess.RunAsync("sh", ["-c", "echo found; echo broken >&2; exit 3"], TestCancellation);

        Assert.Equal(new ChildProcessResult(3, "found\n", "broken\n"), result);
    }

    [Fact]
    public async Task A_full_pipe_of_errors_does_not_block_the_output()
    {
        var result = await ChildProcess.RunAsync("sh", ["-c", "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero"], TestCancellation);

        Assert.Equal((0, 300_000, 300_000), (result.ExitCode, result.Output.Length, result.Errors.Length));
    }

    [Fact]
    public async Task A_program_that_is_not_installed_has_no_exit_code_and_the_reason()
    {
        var result = await ChildProcess.RunAsync("no-such-program", [], TestCancellation);

        Assert.Null(result.ExitCode);
        Assert.StartsWith("no-such-program can't be run: ", result.Errors, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_cancellation_ends_the_program_and_what_it_started()
    {
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);
        var pidFile = Path.Combine(_folder.FullName, "pid");
        var run = ChildProcess.RunAsync("sh", ["-c", $"sleep 60 & echo $! > {pidFile}.new; mv {pidFile}.new {pidFile}; wait"], cancellation.Token);
        await Wait.UntilAsync(() => File.Exists(pidFile), TestCancellation);
        var grandchild = int.Parse(await File.ReadAllTextAsync(pidFile, TestCancellation), CultureInfo.InvariantCulture);

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        await Wait.UntilAsync(() => !IsRunning(grandchild), TestCancellation);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static bool IsRunning(int pid)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return stat[stat.LastIndexOf(')') + 2] != 'Z';   // a zombie has ended; whoever adopted it has not looked yet
        }
        catch (IOException)
        {
            return false;
        }
    }
}
