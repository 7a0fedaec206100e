namespace RagAgent.Configuration.Json;

/// <param name="Offset">In bytes, where the operator should look.</param>
/// <param name="Message">Never quotes the file, because an unparsable part may be a secret.</param>
internal readonly record struct SyntaxError(int Offset, string Message);
