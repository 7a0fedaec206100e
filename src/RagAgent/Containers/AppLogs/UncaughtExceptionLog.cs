using System.Collections.Concurrent;
using RagAgent.Reporting;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>Counts the uncaught exceptions in the logs of the app's containers. Thread-safe.</summary>
/// <remarks>
/// Streamlit shows an uncaught exception to the visitor and logs it. An exception that the app shows on purpose looks alike in the browser,
/// and only the log tells them apart.
/// </remarks>
internal sealed class UncaughtExceptionLog : IAppExceptions
{
    private readonly ConcurrentDictionary<string, TracebackReader> _containers = new();
    private volatile TaskCompletionSource _changed = NewSource();

    /// <summary>Completes with the next change of any container.</summary>
    public Task NextChange => _changed.Task;

    /// <summary>Reads the container's next line.</summary>
    /// <param name="containerId">The container.</param>
    /// <param name="line">The line as the app wrote it.</param>
    /// <param name="vault">Has the container's secrets.</param>
    public void Observe(string containerId, RawLogLine line, SecretVault vault)
    {
        if (_containers.GetOrAdd(containerId, _ => new TracebackReader()).Read(line, vault))
        {
            Interlocked.Exchange(ref _changed, NewSource()).SetResult();
        }
    }

    /// <returns>Null if no line of the container has been read.</returns>
    public UncaughtExceptions? Find(string containerId) =>
        _containers.TryGetValue(containerId, out var reader) ? reader.Found : null;

    /// <summary>The exceptions so far came from the agent's own session, not from a visitor's.</summary>
    public void ExcludeFromVisitors(string containerId)
    {
        if (_containers.TryGetValue(containerId, out var reader))
        {
            reader.ExcludeFromVisitors();
        }
    }

    (int Count, string? LastLine) IAppExceptions.OfVisitors(string containerId) =>
        Find(containerId) is { } found ? (found.OfVisitors, found.LastLine) : default;

    public void Forget(string containerId) => _containers.TryRemove(containerId, out _);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>The uncaught exceptions of a container.</summary>
/// <param name="Count">How many, including those of the agent's own sessions.</param>
/// <param name="InScriptThread">How many of them ended the thread of a script, which shows nothing on the page.</param>
/// <param name="OfVisitors">How many of them happened in visitors' sessions.</param>
/// <param name="LastLine">The last line of the last traceback, scrubbed and safe to show; null while it has not been read.</param>
internal sealed record UncaughtExceptions(int Count, int InScriptThread, int OfVisitors, string? LastLine)
{
    public static UncaughtExceptions None { get; } = new(0, 0, 0, null);
}
