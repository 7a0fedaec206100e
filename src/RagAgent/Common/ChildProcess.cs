using System.ComponentModel;
using System.Diagnostics;

namespace RagAgent.Common;

/// <summary>Runs another program of this machine to its end and collects its output.</summary>
internal static class ChildProcess
{
    /// <param name="program">A name in PATH, or a path.</param>
    /// <param name="arguments">One per element, without quoting: there is no shell.</param>
    /// <param name="stopping">Ends the program, with the processes that it started.</param>
    /// <returns>A null exit code if the program can't be run. Then the error output says why.</returns>
    public static async Task<ChildProcessResult> RunAsync(string program, IReadOnlyList<string> arguments, CancellationToken stopping)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("NOTIFY_SOCKET");   // only the agent itself may notify systemd
        try
        {
            using var process = Process.Start(start)!;
            try
            {
                var errors = process.StandardError.ReadToEndAsync(stopping);
                var output = await process.StandardOutput.ReadToEndAsync(stopping);
                var result = new ChildProcessResult(null, output, await errors);
                await process.WaitForExitAsync(stopping);
                return result with { ExitCode = process.ExitCode };
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }
        }
        catch (Win32Exception exception)
        {
            return new ChildProcessResult(null, "", $"{program} can't be run: {exception.Message}");
        }
    }
}

/// <param name="ExitCode">Null if the program could not be run.</param>
/// <param name="Output">All of its standard output.</param>
/// <param name="Errors">All of its error output, or why it could not be run, without a full stop.</param>
internal sealed record ChildProcessResult(int? ExitCode, string Output, string Errors);
