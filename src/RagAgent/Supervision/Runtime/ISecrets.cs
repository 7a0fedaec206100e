using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The secrets. Their values never pass this interface.</summary>
internal interface ISecrets
{
    Task<SecretVersions> ReadAsync(CancellationToken stopping);
}
