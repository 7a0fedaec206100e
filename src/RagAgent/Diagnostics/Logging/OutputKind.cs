namespace RagAgent.Diagnostics.Logging;

/// <summary>Where log lines go.</summary>
internal enum OutputKind
{
    /// <summary>The journal: with all fields through its socket, or through standard output with a priority before each line.</summary>
    Journal,

    /// <summary>A terminal: short times, colors, and a status line at the bottom that is overwritten.</summary>
    Terminal,

    /// <summary>A file or a pipe.</summary>
    Plain,
}
