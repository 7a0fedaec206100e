using RagAgent.Configuration;
using RagAgent.Diagnostics;

namespace RagAgent.Secrets;

internal sealed class SecretsCheck(AgentConfig config, IParameterStore parameters, SecretVault vault) : ICheck
{
    public string Name => "secrets";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config.Secrets.Count == 0)
        {
            return CheckResult.Skipped("The configuration names none.");
        }
        var here = config.Secrets.Where(secret => secret.Value.Source != SecretSource.Credential || SecretReader.CredentialsDirectory is not null).ToDictionary();
        var elsewhere = config.Secrets.Keys.Except(here.Keys).Order(StringComparer.Ordinal).ToArray();
        var remark = elsewhere.Length == 0 ? ""
            : $"{string.Join(", ", elsewhere)}: a systemd credential can only be read inside the unit; 'ragagent status' tells whether it was.";
        if (here.Count == 0)
        {
            return CheckResult.Skipped(remark);
        }
        var read = await new SecretReader(config with { Secrets = here }, parameters, vault).ReadAsync(stopping);
        var what = $"Read: {string.Join(", ", read.Versions)}. {remark}".TrimEnd();
        return read.Warnings is [{ } warning, ..] ? CheckResult.Warning(what, warning) : CheckResult.Well(what);
    }
}
