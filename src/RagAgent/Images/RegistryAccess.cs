using RagAgent.Secrets;

namespace RagAgent.Images;

/// <summary>How one registry is reached.</summary>
/// <param name="Host">As it stands in an image's name, with its port.</param>
/// <param name="ApiEndpoint">The registry's own address.</param>
/// <param name="User">For Basic authentication; null: none.</param>
/// <param name="Password">Of <paramref name="User"/>.</param>
internal sealed record RegistryAccess(string Host, Uri ApiEndpoint, string? User, SecretValue? Password);

/// <summary>Gives access to the instance's own ECR registry, or to another one of AWS by its host name.</summary>
internal interface IRegistryAuthenticator
{
    /// <summary>Whether the host is one of ECR's, so that its token opens it.</summary>
    bool Handles(string host);

    /// <param name="host">One of ECR's; null: the instance's own.</param>
    /// <param name="refresh">The token that was given before was refused: get another one.</param>
    /// <param name="stopping">Ends the wait.</param>
    Task<RegistryAccess> AuthenticateAsync(string? host, bool refresh, CancellationToken stopping);
}
