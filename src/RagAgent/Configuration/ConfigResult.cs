using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration;

/// <summary>What reading the configuration came to.</summary>
/// <param name="Config">Null exactly when <paramref name="Errors"/> is not empty.</param>
/// <param name="Errors">Every mistake of the file, in the order of its lines.</param>
/// <param name="Fingerprint">Of the file's bytes: what has the same one says the same. Empty when the file could not be read.</param>
public sealed record ConfigResult(AgentConfig? Config, IReadOnlyList<ConfigError> Errors, string Fingerprint);
