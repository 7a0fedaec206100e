using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Secrets;

/// <summary>Reads the app's secrets and refreshes the password's hash at the same time.</summary>
internal sealed class SecretsWithPasswordRefresh(SecretReader secrets, PasswordHashProvider password, TimeProvider time) : ISecrets
{
    // An update should report both, but the app's start must not wait long for a password that only protects the front door.
    private static readonly TimeSpan PasswordTimeout = TimeSpan.FromSeconds(2);

    public async Task<SecretVersions> ReadAsync(CancellationToken stopping)
    {
        var refresh = password.RefreshAsync();
        var versions = await secrets.ReadAsync(stopping);
        await Task.WhenAny(refresh, Task.Delay(PasswordTimeout, time, stopping));
        return versions;
    }
}
