namespace RagAgent.Containers.AppLogs;

/// <summary>One message of the engine's stream.</summary>
/// <param name="Source">The container's stream that it belongs to.</param>
/// <param name="Payload">A timestamp, a space and the text. Valid until more is read.</param>
internal readonly record struct LogFrame(LogStreamType Source, ReadOnlyMemory<byte> Payload);
