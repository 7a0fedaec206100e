using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The secrets; their values stay behind this.</summary>
internal interface ISecrets
{
    Task<SecretVersions> ReadAsync(CancellationToken stopping);
}
