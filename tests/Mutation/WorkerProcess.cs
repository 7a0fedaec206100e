using System.Diagnostics;

namespace Mutation;

/// <summary>
/// A process that runs tests against mutants. One that hangs or dies is replaced, which counts as a mutant that was noticed.
/// </summary>
internal sealed class WorkerProcess(string tests, string fast, string slow, int histories) : IDisposable
{
    private Process? _process;

    /// <summary>Runs one command.</summary>
    /// <returns>The answer; null when there was none in time.</returns>
    public async Task<string?> AskAsync(string command, TimeSpan patience, int mutant = 0)
    {
        if (_process is null)
        {
            Start(mutant);
        }
        try
        {
            await _process!.StandardInput.WriteLineAsync(command);
            await _process.StandardInput.FlushAsync();
            using var late = new CancellationTokenSource(patience);
            while (await _process.StandardOutput.ReadLineAsync(late.Token) is { } line)
            {
                if (line.StartsWith("## ", StringComparison.Ordinal))
                {
                    return line[3..];
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
        }
        Dispose();
        return null;
    }

    public bool IsNew => _process is null;

    public void Dispose()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }

    private void Start(int mutant)
    {
        var start = new ProcessStartInfo("dotnet", [tests, fast, slow]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["RAGAGENT_MUTANT"] = $"{mutant}";
        start.Environment["RAGAGENT_SIMULATION_HISTORIES"] = $"{histories}";
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        // A mutant that takes all memory is one that is noticed, not one that takes the machine along.
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x60000000";
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
    }
}
