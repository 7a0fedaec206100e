namespace RagAgent.Streamlit;

/// <summary>How the page and Streamlit's server find each other.</summary>
internal static class StreamlitProtocol
{
    /// <summary>The sub-protocol that the server selects.</summary>
    public const string SubProtocol = "streamlit";

    /// <summary>A message of the server: <c>ForwardMsg { session_status_changed { script_is_running: true } }</c>.</summary>
    public static ReadOnlySpan<byte> ScriptIsRunning => [0x4A, 0x02, 0x10, 0x01];
}
