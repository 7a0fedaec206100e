namespace RagAgent.Supervision.State;

internal enum RequestKind
{
    /// <summary>Look for a newer image or newer secrets now, and run them.</summary>
    Update,

    /// <summary>Quarantine the newest image and run the one before it.</summary>
    Rollback,

    /// <summary>Release the quarantined image, and update.</summary>
    Unquarantine,

    /// <summary>Stop the app and keep it stopped.</summary>
    Stop,

    /// <summary>Run the app again.</summary>
    Start,
}

internal static class RequestKinds
{
    /// <summary>The name of the command that makes the request: <c>update</c>.</summary>
    public static string CommandName(this RequestKind kind) => kind.ToString().ToLowerInvariant();
}
