using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>Writes one container's lines, as many as the cap admits, and keeps the place up to which they were written.</summary>
internal sealed class LogWriter(
    ContainerIdentity container, LogPosition position, LogPositionFile? positionFile, LogPositionStore positions, SecretVault vault, OutputSink output, TimeProvider time, ILogger logger) : IDisposable
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
        if (_rateLimiter.TryAcquire(line.Timestamp, Math.Min(line.Text.Length, LogLineSanitizer.MaxLength)))
        {
            _batch.Add((LogTimestamp.ToDateTimeOffset(line.Timestamp), LogLineSanitizer.Sanitize(line, vault)));
        }
        else if (_droppedCount++ == 0)
        {
            _droppedSince = time.GetTimestamp();
        }
    }

    /// <summary>So much is waiting that it should be written: a kill repeats no more than this.</summary>
    public bool IsFull => _batch.Count >= MaxBatchSize;

    /// <summary>The lines, and at once the place behind them: a kill between the two repeats this batch, and nothing is ever lost by one.</summary>
    /// <param name="position">Null: the lines are of no use as a place yet.</param>
    public void Write(LogPosition? position)
    {
        // All work is done before the lines leave: between them and the place lies one system call.
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

    /// <summary>In how long <see cref="ReportDropped"/> is due; null: nothing was left out.</summary>
    public TimeSpan? TimeUntilDropReport() => _droppedCount > 0 ? DropReportInterval - time.GetElapsedTime(_droppedSince) : null;

    public void ReportDropped()
    {
        if (_droppedCount > 0)
        {
            logger.AppLogRateLimited(_droppedCount, container.Name);
            _droppedCount = 0;
        }
    }

    /// <summary>The engine has thrown away what was behind the place, and perhaps more.</summary>
    public void ReportGap() => logger.AppLogGap(container);

    /// <summary>A message of the engine's own in the log's place; told when it is another one than before.</summary>
    public void ReportEngineMessage(ReadOnlyMemory<byte> message)
    {
        var text = LogLineSanitizer.Sanitize(new RawLogLine(0, message[..Math.Min(message.Length, MaxEngineMessageLength)], true), vault).TrimEnd('␊', '.', ' ');
        if (text != _lastEngineMessage)
        {
            _lastEngineMessage = text;
            logger.AppLogUnreadable(container, text);
        }
    }

    /// <summary>Writes the place as it is, so that another agent finds one.</summary>
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
