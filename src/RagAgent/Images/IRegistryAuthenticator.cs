namespace RagAgent.Images;

/// <summary>Logs in to ECR: to the instance's own registry, or to another one by its host name.</summary>
internal interface IRegistryAuthenticator
{
    /// <summary>Whether the host is an ECR registry. Other hosts must never get the token.</summary>
    bool Handles(string host);

    /// <param name="host">An ECR registry; null for the instance's own.</param>
    /// <param name="refresh">The previous token was refused: get a new one.</param>
    /// <param name="stopping">Cancels the call.</param>
    Task<RegistryLogin> AuthenticateAsync(string? host, bool refresh, CancellationToken stopping);
}
