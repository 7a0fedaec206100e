namespace RagAgent.Containers.AppLogs;

/// <summary>Where a frame comes from. The numbers are the engine's.</summary>
internal enum LogStreamType : byte
{
    StandardInput = 0,
    StandardOutput = 1,
    StandardError = 2,

    /// <summary>The engine itself: it could not read the log.</summary>
    Engine = 3,
}
