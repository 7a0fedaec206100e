using RagAgent.Diagnostics.Checks;

namespace RagAgent.Aws;

internal sealed class CredentialsCheck(AwsContext context) : ICheck
{
    public string Name => "credentials";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var region = await context.RegionAsync(stopping);
        var keys = await (await context.CredentialsAsync(stopping)).GetCredentialsAsync().WaitAsync(stopping);
        // The start of an access key ID is not secret and tells a role's key from a user's.
        return keys.AccessKey.StartsWith("AKIA", StringComparison.Ordinal)
            ? CheckResult.Warning(
                $"AWS credentials for {region.SystemName} were found, but they are a user's long-lived key ({keys.AccessKey[..8]}…).",
                "On an instance, use a role instead: AWS renews its keys automatically.")
            : CheckResult.Ok(
                $"AWS credentials for {region.SystemName} were found ({keys.AccessKey[..Math.Min(8, keys.AccessKey.Length)]}…).");
    }
}
