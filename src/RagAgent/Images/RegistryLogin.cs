using RagAgent.Secrets;

namespace RagAgent.Images;

/// <summary>The address and login of one registry.</summary>
/// <param name="Host">As in an image's name, with its port.</param>
/// <param name="ApiEndpoint">The address of the registry's API.</param>
/// <param name="User">For Basic authentication; null for anonymous access.</param>
/// <param name="Password">The password of <paramref name="User"/>.</param>
internal sealed record RegistryLogin(string Host, Uri ApiEndpoint, string? User, SecretValue? Password);
