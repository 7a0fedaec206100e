using RagAgent.Configuration;

namespace RagAgent.Secrets;

/// <summary>One of the app's secrets, read and validated.</summary>
/// <param name="Variable">The environment variable that the app reads.</param>
/// <param name="Value">The variable's value.</param>
/// <param name="Delivery">How the app gets it.</param>
internal sealed record LoadedSecret(string Variable, SecretValue Value, SecretDelivery Delivery);
