namespace RagAgent.Common;

/// <summary>How serious a problem is for the app.</summary>
internal enum ProblemSeverity
{
    /// <summary>Nothing is wrong: it is the answer to a command that could not do what it was asked.</summary>
    Info,

    /// <summary>The app serves and is updated, but something should be fixed.</summary>
    Warning,

    /// <summary>It keeps the app from serving or from being updated, now or after the next boot.</summary>
    Error,
}
