using System.Text;
using Microsoft.Extensions.Logging;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>Writes one container's lines, as many as the cap admits, and keeps the place up to which they were written.</summary>
internal sealed class LogWriter(
    ContainerIdentity container, LogPlace place, LogCursor? cursor, LogCursors cursors, SecretVault vault, OutputSink output, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan BetweenTellings = TimeSpan.FromSeconds(10);
    private const int LongestWords = 500;
    private const int MostAtOnce = 50;
    private readonly RateCap _cap = new();
    private readonly List<(DateTimeOffset At, string Text)> _batch = [];
    private LogCursor? _cursor = cursor;
    private string? _engineWords;
    private long _leftOut;
    private long _leftOutSince;

    public ContainerIdentity Container => container;

    public LogPlace Place { get; private set; } = place;

    public LogSession Begin() => new(this, time);

    public void Add(RawLine line)
    {
        if (_cap.Admits(line.At, Math.Min(line.Text.Length, AppText.Longest)))
        {
            _batch.Add((LogTime.ToTime(line.At), AppText.Of(line, vault)));
        }
        else if (_leftOut++ == 0)
        {
            _leftOutSince = time.GetTimestamp();
        }
    }

    /// <summary>So much is waiting that it should be written: a kill repeats no more than this.</summary>
    public bool IsFull => _batch.Count >= MostAtOnce;

    /// <summary>The lines, and at once the place behind them: a kill between the two repeats this batch, and nothing is ever lost by one.</summary>
    /// <param name="place">Null: the lines are of no use as a place yet.</param>
    public void Write(LogPlace? place)
    {
        // All work is done before the lines leave: between them and the place lies one system call.
        var moves = place is { } next && next != Place;
        Place = place ?? Place;
        var record = moves && _cursor is not null ? LogCursor.Format(Place) : null;
        if (_batch.Count > 0)
        {
            output.WriteAppLines(container, _batch);
        }
        Keep(record);
        _batch.Clear();
    }

    /// <summary>In how long <see cref="TellLeftOut"/> is due; null: nothing was left out.</summary>
    public TimeSpan? LeftOutDueIn() => _leftOut > 0 ? BetweenTellings - time.GetElapsedTime(_leftOutSince) : null;

    public void TellLeftOut()
    {
        if (_leftOut > 0)
        {
            logger.AppLogCapped(_leftOut, container.Name);
            _leftOut = 0;
        }
    }

    /// <summary>The engine has thrown away what was behind the place, and perhaps more.</summary>
    public void TellLost() => logger.AppLogLost(container);

    /// <summary>A message of the engine's own in the log's place; told when it is another one than before.</summary>
    public void TellEngine(ReadOnlyMemory<byte> message)
    {
        var words = AppText.Of(new RawLine(0, message[..Math.Min(message.Length, LongestWords)], true), vault).TrimEnd('␊', '.', ' ');
        if (words != _engineWords)
        {
            _engineWords = words;
            logger.AppLogUnreadable(container, words);
        }
    }

    /// <summary>Writes the place as it is, so that another agent finds one.</summary>
    public void Keep() => Keep(LogCursor.Format(Place));

    private void Keep(byte[]? record)
    {
        if (record is not null && _cursor is { } file && !cursors.Write(file, record))
        {
            _cursor = null;
        }
    }

    public void Dispose() => _cursor?.Dispose();
}
