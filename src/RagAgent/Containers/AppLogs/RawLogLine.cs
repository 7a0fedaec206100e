namespace RagAgent.Containers.AppLogs;

/// <summary>A line as the app wrote it.</summary>
/// <param name="Timestamp">The engine's timestamp for the start of the line, in nanoseconds since 1970.</param>
/// <param name="Text">The line without its line break. Valid until the assembler is used again.</param>
/// <param name="IsComplete">False if the line was cut: its rest is dropped.</param>
internal readonly record struct RawLogLine(long Timestamp, ReadOnlyMemory<byte> Text, bool IsComplete);
