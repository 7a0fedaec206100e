using RagAgent.Configuration;

namespace RagAgent.Secrets;

/// <summary>One of the app's secrets, read and validated.</summary>
/// <param name="Variable">The environment variable that the app reads; with a path, only a name.</param>
/// <param name="Value">The content of the variable or file.</param>
/// <param name="Delivery">How the app gets it.</param>
/// <param name="Path">The file in the container that the app reads instead of a variable; null: a variable.</param>
internal sealed record LoadedSecret(string Variable, SecretValue Value, SecretDelivery Delivery, string? Path = null);
