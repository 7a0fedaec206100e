using System.Diagnostics;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Runs a program with a minimal environment: only what the test passes, and never a real metadata service.</summary>
internal static class ProcessRunner
{
    public static async Task<ProcessResult> RunAsync(
        string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string input = "",
        CancellationToken stopping = default)
    {
        using var process = Start(program, arguments, environment);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), stopping);
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(stopping);
            var error = process.StandardError.ReadToEndAsync(stopping);
            await process.WaitForExitAsync(stopping);
            return new ProcessResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    public static Process Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        start.Environment["HOME"] = "/nonexistent";
        start.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}

internal sealed record ProcessResult(int ExitCode, string Output, string Error)
{
    /// <summary>Returns the trimmed output. Fails if the exit code isn't 0.</summary>
    public string AssertSucceeded()
    {
        Assert.True(ExitCode == 0, $"exit code {ExitCode}: {Error}{(Error.Length > 0 ? "" : Output)}");
        return Output.Trim();
    }

    /// <summary>Returns the trimmed error output. Fails if the exit code is 0.</summary>
    public string AssertFailed()
    {
        Assert.True(ExitCode != 0, $"exit code 0, with: {Output}");
        return Error.Trim();
    }
}
