using System.Text;

namespace RagAgent.Streamlit;

/// <summary>What one message of Streamlit's server says about the run of a script.</summary>
/// <remarks>
/// The message is a <c>ForwardMsg</c>. Its field numbers have not changed from Streamlit 1.31 to 1.67. Only those that a verdict needs are
/// read; everything else counts as unknown.
/// </remarks>
internal abstract record StreamlitMessage
{
    // ForwardMsg and the messages inside it.
    public const int NewSession = 4, ScriptFinished = 6;
    private const int Delta = 5, SessionStatusChanged = 9, SessionEvent = 10;
    private const int DeltaNewElement = 3, ElementException = 8, EventCompilationException = 3;
    private const int ExceptionType = 1, ExceptionMessage = 2, ExceptionIsWarning = 5;
    private const int MaxTextLength = 4_000;

    /// <summary>A run of the script begins.</summary>
    public sealed record RunBegan : StreamlitMessage;

    /// <summary>The page shows something.</summary>
    public sealed record Element : StreamlitMessage;

    /// <summary>The page shows an exception: uncaught, or on purpose.</summary>
    public sealed record ExceptionShown(ScriptException Exception) : StreamlitMessage;

    /// <summary>The script can't be compiled.</summary>
    public sealed record CompileError(ScriptException Exception) : StreamlitMessage;

    /// <summary>The run has ended.</summary>
    /// <param name="Status">One of <see cref="FinishStatus"/>, or unknown.</param>
    public sealed record RunFinished(int Status) : StreamlitMessage;

    /// <summary>A message of a run that does not matter here.</summary>
    public sealed record Other : StreamlitMessage;

    /// <summary>Protobuf, but none of the messages that Streamlit begins a run with.</summary>
    public sealed record Unknown : StreamlitMessage;

    /// <param name="bytes">One message of the WebSocket, or its beginning.</param>
    /// <returns>Null if the bytes are not a message of Streamlit's.</returns>
    public static StreamlitMessage? Parse(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        StreamlitMessage? found = null;
        // The last one counts, as in every reader of protobuf.
        while (reader.Read())
        {
            found = reader.Field switch
            {
                NewSession => new RunBegan(),
                Delta => ParseDelta(reader.Bytes),
                ScriptFinished => new RunFinished((int)Math.Min(reader.Number, int.MaxValue)),
                SessionStatusChanged => new Other(),
                SessionEvent => ParseEvent(reader.Bytes),
                _ => found ?? new Unknown(),
            };
        }
        return reader.IsMalformed ? null : found;
    }

    private static StreamlitMessage ParseDelta(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            if (reader.Field == DeltaNewElement)
            {
                return ParseElement(reader.Bytes);
            }
        }
        return new Other();   // a container for elements, such as a column, shows nothing yet
    }

    private static StreamlitMessage ParseElement(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            if (reader.Field == ElementException && ParseException(reader.Bytes) is { } exception)
            {
                return new ExceptionShown(exception);
            }
        }
        return new Element();
    }

    private static StreamlitMessage ParseEvent(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            if (reader.Field == EventCompilationException && ParseException(reader.Bytes) is { } exception)
            {
                return new CompileError(exception);
            }
        }
        return new Other();
    }

    /// <returns>Null for a warning, which Streamlit sends in the same form.</returns>
    private static ScriptException? ParseException(ReadOnlySpan<byte> bytes)
    {
        var (type, message) = ("", "");
        var reader = new ProtobufReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case ExceptionType:
                    type = Text(reader.Bytes);
                    break;
                case ExceptionMessage:
                    message = Text(reader.Bytes);
                    break;
                case ExceptionIsWarning when reader.Number != 0:
                    return null;
            }
        }
        return new ScriptException(type, message);
    }

    private static string Text(ReadOnlySpan<byte> bytes) =>
        Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxTextLength)]);
}
