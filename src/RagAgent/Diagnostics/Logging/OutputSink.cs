using System.Globalization;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace RagAgent.Diagnostics.Logging;

/// <summary>Writes log events to the journal or to standard output. One lock covers lines and the status line, so they don't mix.</summary>
internal sealed class OutputSink : ILogEventSink
{
    private const string EraseLine = "\r\x1b[K";
    private const string AppPrefix = "app| ";
    private const int Informational = 6;
    private readonly Lock _lock = new();
    private readonly MessageTemplateTextFormatter _message = new("{Message:l}", CultureInfo.InvariantCulture);
    private readonly OutputKind _kind;
    private readonly Func<string, string> _scrub;
    private readonly TextWriter _out;
    private readonly JournalSocket? _journal;
    private string _status = "";
    private int _dropped;

    /// <summary>Called with the number of lines that the journal was too busy for, once it accepts lines again.</summary>
    public Action<int>? LinesDropped { get; set; }

    /// <param name="kind">The format of the lines.</param>
    /// <param name="scrub">Removes secrets, however they got into a message.</param>
    /// <param name="output">Standard output. Flushed after every line.</param>
    /// <param name="journal">Used instead of standard output as long as it accepts entries; null: there is none.</param>
    public OutputSink(OutputKind kind, Func<string, string> scrub, TextWriter output, JournalSocket? journal = null) =>
        (_kind, _scrub, _out, _journal) = (kind, scrub, output, journal);

    /// <summary>What standard output is connected to.</summary>
    public static OutputKind Detect()
    {
        if (JournalSocket.IsStandardOutputJournal())
        {
            return OutputKind.Journal;
        }
        var isDumb = Environment.GetEnvironmentVariable("TERM") is null or "" or "dumb";
        return Console.IsOutputRedirected || isDumb ? OutputKind.Plain : OutputKind.Terminal;
    }

    public void Emit(LogEvent logEvent)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        _message.Format(logEvent, text);
        if (logEvent.Exception is { } exception)
        {
            text.Write($" [{exception.GetType().Name}: {exception.Message}]");
        }
        var line = _scrub(text.ToString()).ReplaceLineEndings(" ");
        lock (_lock)
        {
            if (!TryWriteToJournal(JournalFields.ForAgent(logEvent, line, Priority(logEvent.Level), _scrub)))
            {
                _out.Write(_kind switch
                {
                    OutputKind.Journal => $"<{Priority(logEvent.Level)}>{line}\n",
                    OutputKind.Terminal => $"{EraseLine}{logEvent.Timestamp:HH:mm:ss} {Colorize(logEvent.Level, line)}\n{_status}",
                    _ => $"{logEvent.Timestamp.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} {LevelName(logEvent.Level)} {line}\n",
                });
                _out.Flush();
            }
        }
        ReportDropped();
    }

    /// <summary>
    /// Writes lines of the app's log, together in one piece. They must be scrubbed and sanitized already.
    /// A prefix sets them apart from the agent's own lines.
    /// </summary>
    /// <remarks>All have the priority "info": Streamlit also writes to standard error what is not an error.</remarks>
    public void WriteAppLines(ContainerIdentity container, IEnumerable<(DateTimeOffset At, string Text)> lines)
    {
        lock (_lock)
        {
            foreach (var (at, text) in lines)
            {
                if (TryWriteToJournal(JournalFields.ForApp(container, at, text, Informational)))
                {
                    continue;
                }
                _out.Write(_kind switch
                {
                    OutputKind.Journal => $"<{Informational}>{AppPrefix}{text}\n",
                    OutputKind.Terminal => $"{EraseLine}{at.ToLocalTime():HH:mm:ss} \x1b[2m{AppPrefix}{text}\x1b[0m\n",
                    _ => $"{at.UtcDateTime:yyyy-MM-ddTHH:mm:ss.fffZ} info  {AppPrefix}{text}\n",
                });
            }
            _out.Write(_kind == OutputKind.Terminal ? _status : "");
            _out.Flush();
        }
        ReportDropped();
    }

    /// <summary>Sets the line at the bottom of a terminal; an empty one removes it. Does nothing elsewhere.</summary>
    public void ShowStatus(string status)
    {
        if (_kind != OutputKind.Terminal)
        {
            return;
        }
        lock (_lock)
        {
            if (status != _status)
            {
                _status = status;
                _out.Write(EraseLine + _status);
                _out.Flush();
            }
        }
    }

    private bool TryWriteToJournal(JournalEntry entry)
    {
        if (_journal is null)
        {
            return false;
        }
        var sent = _journal.Send(entry.Bytes, out var dropped);
        _dropped += dropped;
        return sent;
    }

    /// <summary>Runs outside of the lock, because it logs a line itself.</summary>
    private void ReportDropped()
    {
        int dropped;
        lock (_lock)
        {
            (dropped, _dropped) = (_dropped, 0);
        }
        if (dropped > 0)
        {
            LinesDropped?.Invoke(dropped);
        }
    }

    private static int Priority(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal => 2,
        LogEventLevel.Error => 3,
        LogEventLevel.Warning => 4,
        LogEventLevel.Information => Informational,
        _ => 7,
    };

    private static string LevelName(LogEventLevel level) => level switch
    {
        LogEventLevel.Fatal or LogEventLevel.Error => "error",
        LogEventLevel.Warning => "warn ",
        LogEventLevel.Information => "info ",
        _ => "debug",
    };

    private static string Colorize(LogEventLevel level, string line) => level switch
    {
        LogEventLevel.Fatal or LogEventLevel.Error => $"\x1b[31m{line}\x1b[0m",
        LogEventLevel.Warning => $"\x1b[33m{line}\x1b[0m",
        _ => line,
    };
}
