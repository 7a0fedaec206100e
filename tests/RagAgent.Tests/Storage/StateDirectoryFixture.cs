using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using RagAgent.Storage;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Storage;

/// <summary>A state directory on a machine that can be rebooted.</summary>
internal sealed class StateDirectoryFixture : ILogger<StateFile>, IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("ragagent-state.").FullName;
    private readonly ConcurrentQueue<string> _logMessages = new();

    public StateDirectoryFixture() => SetBootId("11111111-1111-1111-1111-111111111111");

    public string Folder => Path.Combine(_root, "state");
    public string File => Path.Combine(Folder, "state.json");
    public string QuarantinedFile => File + ".broken";
    public IReadOnlyList<string> LogMessages => [.. _logMessages];

    public string BootIdFile => Path.Combine(_root, "boot_id");

    public void SetBootId(string id) => System.IO.File.WriteAllText(BootIdFile, id + "\n");

    /// <summary>The state file as a newly started agent opens it.</summary>
    public StateFile Open(Action<ReplaceStep>? afterStep = null) => new(Folder, Sample.Clock, this, BootIdFile) { AfterStep = afterStep };

    public PersistedState? Read() => Open().Load();

    public Task WriteAsync(PersistedState state, CancellationToken stopping) => Open().SaveAsync(state, stopping);

    /// <summary>Writes content that no agent wrote.</summary>
    public void WriteRaw(ReadOnlySpan<byte> content)
    {
        Directory.CreateDirectory(Folder);
        System.IO.File.WriteAllBytes(File, content);
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _logMessages.Enqueue($"{logLevel}: {formatter(state, exception)}");

    public bool IsEnabled(LogLevel logLevel) => true;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
