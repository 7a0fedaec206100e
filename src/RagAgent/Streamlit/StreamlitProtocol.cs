namespace RagAgent.Streamlit;

/// <summary>How the page and Streamlit's server find each other.</summary>
internal static class StreamlitProtocol
{
    /// <summary>The sub-protocol that the server selects.</summary>
    public const string SubProtocol = "streamlit";
}
