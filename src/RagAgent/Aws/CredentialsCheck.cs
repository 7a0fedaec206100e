using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

internal sealed class CredentialsCheck(AwsContext context) : ICheck
{
    public string Name => "credentials";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var region = await context.RegionAsync(stopping);
        var keys = await (await context.CredentialsAsync(stopping)).GetCredentialsAsync().WaitAsync(stopping);
        // Its beginning tells a role's key from a user's, and is no secret.
        return keys.AccessKey.StartsWith("AKIA", StringComparison.Ordinal)
            ? CheckResult.Warning($"There are AWS credentials for {region.SystemName}, and they are a user's long-lived key ({keys.AccessKey[..8]}…).", "On an instance, give it a role instead: keys that AWS renews by itself.")
            : CheckResult.Ok($"There are AWS credentials for {region.SystemName} ({keys.AccessKey[..Math.Min(8, keys.AccessKey.Length)]}…).");
    }
}
