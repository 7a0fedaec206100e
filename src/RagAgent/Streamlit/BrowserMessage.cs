namespace RagAgent.Streamlit;

/// <summary>What a message that a browser sends to Streamlit says about the person in front of it.</summary>
internal enum BrowserMessage
{
    /// <summary>Not a message of Streamlit's.</summary>
    Unreadable,

    /// <summary>Runs the script, because of something that a person did, or because the page has connected.</summary>
    Rerun,

    /// <summary>Runs the script because time has passed: a <c>run_every</c> fragment.</summary>
    AutomaticRerun,

    /// <summary>The page asks on its own.</summary>
    Automatic,

    /// <summary>Something else that a person caused, such as the stop button.</summary>
    Other,
}

/// <summary>Reads messages that a browser sends to Streamlit, without allocating.</summary>
/// <remarks>The message is a <c>BackMsg</c>. Its field numbers have not changed from Streamlit 1.31 to 1.67.</remarks>
internal static class BrowserMessages
{
    private const int RerunScript = 11, LoadGitInfo = 12, AppHeartbeat = 17;
    private const int RerunIsAutomatic = 6;

    /// <param name="bytes">One whole message.</param>
    public static BrowserMessage Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        var found = BrowserMessage.Other;
        // The last one counts, as in every reader of protobuf.
        while (reader.Read())
        {
            found = reader.Field switch
            {
                RerunScript => ReadRerun(reader.Bytes),
                LoadGitInfo or AppHeartbeat => BrowserMessage.Automatic,
                _ => BrowserMessage.Other,
            };
        }
        return reader.IsMalformed || reader.IsCut ? BrowserMessage.Unreadable : found;
    }

    private static BrowserMessage ReadRerun(ReadOnlySpan<byte> bytes)
    {
        var reader = new ProtobufReader(bytes);
        var isAutomatic = false;
        while (reader.Read())
        {
            isAutomatic = reader.Field == RerunIsAutomatic ? reader.Number != 0 : isAutomatic;
        }
        return reader.IsMalformed || reader.IsCut ? BrowserMessage.Unreadable
            : isAutomatic ? BrowserMessage.AutomaticRerun
            : BrowserMessage.Rerun;
    }
}
