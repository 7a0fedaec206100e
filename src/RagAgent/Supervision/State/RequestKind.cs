namespace RagAgent.Supervision.State;

internal enum RequestKind
{
    /// <summary>Look for something newer now and run it.</summary>
    Update,

    /// <summary>Set the newest image aside and run the one before it.</summary>
    Rollback,

    /// <summary>Give the image that was set aside another chance, and update.</summary>
    Unquarantine,

    /// <summary>Stop the app, and keep it stopped.</summary>
    Stop,

    /// <summary>Run the app again.</summary>
    Start,
}

internal static class RequestKinds
{
    /// <summary>The name of the command that makes the request: <c>update</c>.</summary>
    public static string CommandName(this RequestKind kind) => kind.ToString().ToLowerInvariant();
}
