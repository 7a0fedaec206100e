using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Secrets;

internal sealed class SecretsCheck(AgentConfig config, ISecrets secrets) : ICheck
{
    public string Name => "secrets";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config.Secrets.Count == 0)
        {
            return CheckResult.Skipped("The configuration names none.");
        }
        var read = await secrets.ReadAsync(stopping);
        return read.Warnings is [{ } warning, ..]
            ? CheckResult.Warning($"Read: {string.Join(", ", read.Versions)}.", warning)
            : CheckResult.Well($"Read: {string.Join(", ", read.Versions)}.");
    }
}
