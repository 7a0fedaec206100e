namespace RagAgent.Supervision.State;

/// <summary>What the gate learned from a session of its own.</summary>
internal enum SessionReading
{
    /// <summary>No session was run.</summary>
    NotRun,

    /// <summary>The first page works.</summary>
    Works,

    /// <summary>The app does not speak Streamlit's protocol, so only its handshake was checked.</summary>
    Unreadable,
}
