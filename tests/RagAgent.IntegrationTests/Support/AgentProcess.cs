using System.Diagnostics;
using Xunit;

namespace RagAgent.IntegrationTests.Support;

/// <summary>An agent process, started as systemd starts it.</summary>
internal sealed class AgentProcess : IAsyncDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly Task _reading;

    public AgentProcess(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        _process = ProcessRunner.Start(program, arguments, environment);
        _process.StandardInput.Close();
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput), ReadAsync(_process.StandardError));
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Everything it has written so far.</summary>
    public string Log
    {
        get
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }

    /// <summary>Waits for a log line. The status changes slightly before the line that reports it is written.</summary>
    public async Task WaitForLogAsync(string text)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!Log.Contains(text, StringComparison.Ordinal))
        {
            Assert.True(TimeProvider.System.GetElapsedTime(began) < Timeout, $"Not logged within {Timeout}: {text}\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        }
    }

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync();
        await _reading;
        return _process.ExitCode;
    }

    public Task SignalAsync(string signal) => ProcessRunner.RunAsync("kill", [$"-{signal}", $"{_process.Id}"]);

    public async Task<int> StopAsync(string signal = "TERM")
    {
        if (!_process.HasExited)
        {
            await SignalAsync(signal);
        }
        return await ExitCodeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync("KILL");
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line);
            }
        }
    }
}
