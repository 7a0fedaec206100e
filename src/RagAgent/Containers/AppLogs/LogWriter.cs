using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>Writes one container's lines, as many as the rate limit allows, and saves the position up to which they were written.</summary>
internal sealed class LogWriter(
    ContainerIdentity container,
    LogPosition position,
    LogPositionFile? positionFile,
    LogPositionStore positions,
    SecretVault vault,
    UncaughtExceptionLog exceptions,
    OutputSink output,
    TimeProvider time,
    ILogger logger) : IDisposable
{
    private static readonly TimeSpan DropReportInterval = TimeSpan.FromSeconds(10);
    private const int MaxEngineMessageLength = 500;
    private const int MaxBatchSize = 50;
    private readonly LogRateLimiter _rateLimiter = new();
    private readonly List<(DateTimeOffset At, string Text)> _batch = [];
    private LogPositionFile? _positionFile = positionFile;
    private string? _lastEngineMessage;
    private long _droppedCount;
    private long _droppedSince;

    public ContainerIdentity Container => container;

    public LogPosition Position { get; private set; } = position;

    public LogStreamProcessor StartStream() => new(this, time);

    public void Add(RawLogLine line)
    {
        exceptions.Observe(container.Id, line, vault);
        if (_rateLimiter.TryAcquire(line.Timestamp, Math.Min(line.Text.Length, LogLineSanitizer.MaxLength)))
        {
            _batch.Add((LogTimestamp.ToDateTimeOffset(line.Timestamp), LogLineSanitizer.Sanitize(line, vault)));
        }
        else if (_droppedCount++ == 0)
        {
            _droppedSince = time.GetTimestamp();
        }
    }

    /// <summary>The batch should be written now. If the agent is killed, no more than one batch is repeated.</summary>
    public bool IsFull => _batch.Count >= MaxBatchSize;

    /// <summary>Writes the lines and then the position after them. A kill in between repeats this batch, but never loses lines.</summary>
    /// <param name="position">Null if the position must not move yet.</param>
    public void Write(LogPosition? position)
    {
        // Everything is prepared before the lines are written, so that only one system call lies between them and the position.
        var hasMoved = position is { } next && next != Position;
        Position = position ?? Position;
        var record = hasMoved && _positionFile is not null ? LogPositionFile.Format(Position) : null;
        if (_batch.Count > 0)
        {
            output.WriteAppLines(container, _batch);
        }
        SavePosition(record);
        _batch.Clear();
    }

    /// <summary>How long until <see cref="ReportDropped"/> is due; null if no line was dropped.</summary>
    public TimeSpan? TimeUntilDropReport() => _droppedCount > 0 ? DropReportInterval - time.GetElapsedTime(_droppedSince) : null;

    public void ReportDropped()
    {
        if (_droppedCount > 0)
        {
            logger.AppLogRateLimited(_droppedCount, container.Name);
            _droppedCount = 0;
        }
    }

    /// <summary>Reports that the engine deleted messages around the position.</summary>
    public void ReportGap() => logger.AppLogGap(container);

    /// <summary>Reports a message that the engine sent instead of the log. The same message is reported once.</summary>
    public void ReportEngineMessage(ReadOnlyMemory<byte> message)
    {
        var line = new RawLogLine(0, message[..Math.Min(message.Length, MaxEngineMessageLength)], true);
        var text = LogLineSanitizer.Sanitize(line, vault).TrimEnd('␊', '.', ' ');
        if (text != _lastEngineMessage)
        {
            _lastEngineMessage = text;
            logger.AppLogUnreadable(container, text);
        }
    }

    /// <summary>Saves the position, so that the next agent finds one.</summary>
    public void SavePosition() => SavePosition(LogPositionFile.Format(Position));

    private void SavePosition(byte[]? record)
    {
        if (record is not null && _positionFile is { } file && !positions.Write(file, record))
        {
            _positionFile = null;
        }
    }

    public void Dispose() => _positionFile?.Dispose();
}
