namespace RagAgent.Streamlit;

/// <summary>How a run of a script ended: Streamlit's <c>ScriptFinishedStatus</c>.</summary>
internal static class FinishStatus
{
    public const int Completed = 0;
    public const int CompileError = 1;

    /// <summary>For another run, which begins now: the script or a person asked for it.</summary>
    public const int EarlyForRerun = 2;
}
