namespace RagAgent.Storage;

/// <summary>A state file can't be read. The message says why, as a clause without a full stop.</summary>
internal sealed class CorruptStateException(string why, Exception? inner = null) : Exception(why, inner);
