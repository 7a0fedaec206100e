using RagAgent.Common;
using RagAgent.Streamlit;

namespace RagAgent.Health.Sessions;

/// <summary>What the app has sent in one session, and what that says about the app. Pure.</summary>
internal sealed class SessionTranscript
{
    private ScriptException? _compileError;
    private ScriptException? _exception;
    private int? _finished;
    private bool _hasElements;

    /// <summary>The first message was one of Streamlit's. Null: there has been none.</summary>
    public bool? IsUnderstood { get; private set; }

    /// <summary>Nothing more is to come that could change the verdict, apart from the log.</summary>
    /// <remarks>A compile error ends the run before its text arrives.</remarks>
    public bool HasEnded => _compileError is not null || _finished is not (null or FinishStatus.CompileError);

    /// <summary>The app showed an exception. Only its log says whether it meant to.</summary>
    public bool NeedsLog => _exception is not null && _compileError is null;

    /// <summary>The script can't be compiled, and the text that says why is on its way.</summary>
    public bool AwaitsCompileError => _finished == FinishStatus.CompileError && _compileError is null;

    /// <param name="message">Null if it was not understood.</param>
    public void Add(StreamlitMessage? message)
    {
        IsUnderstood ??= message is not (null or StreamlitMessage.Unknown);
        switch (message)
        {
            case StreamlitMessage.Element:
                _hasElements = true;
                break;
            case StreamlitMessage.ExceptionShown shown:
                _hasElements = true;
                _exception = shown.Exception;
                break;
            case StreamlitMessage.CompileError error:
                _compileError = error.Exception;
                break;
            case StreamlitMessage.RunFinished { Status: FinishStatus.Completed or FinishStatus.CompileError } finished:
                _finished = finished.Status;
                break;
        }
    }

    /// <param name="end">Why nothing more was read.</param>
    /// <param name="log">What the app has logged since the session began; null if its log can't be read.</param>
    public SessionVerdict Judge(SessionEnd end, UncaughtSince? log)
    {
        if (log is { IsInScriptThread: true })
        {
            // The log may be faster than the messages.
            return new SessionVerdict.Broken(log.LastLine ?? "an exception ended the script's thread", IsFinal: false);
        }
        if (IsUnderstood != true)
        {
            return end == SessionEnd.Closed && IsUnderstood is null
                ? new SessionVerdict.Broken("the app closed the session", IsFinal: false)
                : new SessionVerdict.Unreadable();
        }
        if (_compileError is not null || _finished == FinishStatus.CompileError)
        {
            return new SessionVerdict.Broken(_compileError?.Summary ?? "the script does not compile", IsFinal: true)
            {
                IsOfTheImage = true,
            };
        }
        if (_exception is { } exception && IsUncaught(exception, log))
        {
            var summary = exception.IsHidden ? log?.LastLine ?? exception.Summary : exception.Summary;
            return new SessionVerdict.Broken(summary, exception.IsOfTheImage) { IsOfTheImage = exception.IsOfTheImage };
        }
        return end switch
        {
            SessionEnd.Closed => new SessionVerdict.Broken("the app closed the session", IsFinal: false),
            SessionEnd.TimeLimit when !_hasElements => new SessionVerdict.Silent(),
            SessionEnd.LengthLimit when !_hasElements => new SessionVerdict.Broken(
                $"it shows nothing within the first {Humanize.Bytes(SessionProbe.MaxLength)} that it sends", IsFinal: true),
            _ => new SessionVerdict.Works(),
        };
    }

    /// <summary>Apps show exceptions on purpose, too. Without the log, only Streamlit's general text for uncaught ones is proof.</summary>
    private static bool IsUncaught(ScriptException exception, UncaughtSince? log) =>
        log is null ? exception is { IsHidden: true, HasModule: true } : log.Count > 0;
}

/// <summary>Why the reading of a session ended.</summary>
internal enum SessionEnd
{
    /// <summary>The run of the script has ended.</summary>
    Finished,

    /// <summary>The app closed the session, or its process died.</summary>
    Closed,

    /// <summary>The run goes on, and the time is up.</summary>
    TimeLimit,

    /// <summary>The run goes on, and the app has sent too much, or what is not understood.</summary>
    LengthLimit,
}

/// <summary>Uncaught exceptions in an app's log since a session began.</summary>
/// <param name="Count">How many.</param>
/// <param name="IsInScriptThread">One ended the thread that runs the script, which shows nothing on the page.</param>
/// <param name="LastLine">The last one's last line, scrubbed; null if it has not arrived.</param>
internal sealed record UncaughtSince(int Count, bool IsInScriptThread, string? LastLine);

/// <summary>What a session says about the app.</summary>
internal abstract record SessionVerdict
{
    public sealed record Works : SessionVerdict;

    /// <summary>The app speaks another protocol, or not the whole of this one. The session says nothing about it.</summary>
    public sealed record Unreadable : SessionVerdict;

    /// <summary>The script shows nothing within the time limit.</summary>
    public sealed record Silent : SessionVerdict;

    /// <summary>The script fails.</summary>
    /// <param name="Error">Like the last line of a traceback. The app's text: neither scrubbed nor safe for a terminal.</param>
    /// <param name="IsFinal">The image lacks something: another session would fail in the same way.</param>
    public sealed record Broken(string Error, bool IsFinal) : SessionVerdict
    {
        /// <summary>A compile or import error, which no key and no data would change.</summary>
        public bool IsOfTheImage { get; init; }
    }
}
