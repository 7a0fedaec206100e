namespace RagAgent.Streamlit;

/// <summary>What a message of Streamlit's server says about where a run of the script begins and ends. Read without allocating.</summary>
/// <remarks>The same message as a <see cref="StreamlitMessage"/>, which tells more and costs more.</remarks>
internal readonly ref struct RunMessage
{
    private const int NewSessionInitialize = 1, InitializeSessionId = 6;

    private RunMessage(RunMessageKind kind, int status = 0, ReadOnlySpan<byte> sessionId = default)
    {
        Kind = kind;
        Status = status;
        SessionId = sessionId;
    }

    public RunMessageKind Kind { get; }

    /// <summary>How the run ended: one of <see cref="FinishStatus"/>, or unknown.</summary>
    public int Status { get; }

    /// <summary>The ID of the session whose run begins, in UTF-8; may be empty.</summary>
    public ReadOnlySpan<byte> SessionId { get; }

    /// <param name="bytes">One whole message.</param>
    public static RunMessage Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        var found = new RunMessage(RunMessageKind.Other);
        while (reader.Read())
        {
            found = reader.Field switch
            {
                StreamlitMessage.NewSession => new RunMessage(
                    RunMessageKind.Began, sessionId: Find(Find(reader.Bytes, NewSessionInitialize), InitializeSessionId)),
                StreamlitMessage.ScriptFinished => new RunMessage(RunMessageKind.Ended, (int)Math.Min(reader.Number, int.MaxValue)),
                _ => found,
            };
        }
        return reader.IsMalformed || reader.IsCut ? new RunMessage(RunMessageKind.Unreadable) : found;
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, int field)
    {
        var reader = new ProtobufReader(message);
        while (reader.Read())
        {
            if (reader.Field == field)
            {
                return reader.Bytes;
            }
        }
        return [];
    }
}

internal enum RunMessageKind
{
    /// <summary>Not a message of Streamlit's.</summary>
    Unreadable,

    Began,
    Ended,
    Other,
}
