using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;

namespace RagAgent.Secrets;

internal sealed class SecretsCheck(AgentConfig config, IParameterStore parameters, SecretVault vault) : ICheck
{
    public string Name => "secrets";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config.Secrets.Count == 0)
        {
            return CheckResult.Skipped("The configuration names no secrets.");
        }
        var readable = config.Secrets
            .Where(secret => secret.Value.Source != SecretSource.Credential || SecretReader.CredentialsDirectory is not null)
            .ToDictionary();
        var unitOnly = config.Secrets.Keys.Except(readable.Keys).Order(StringComparer.Ordinal).ToArray();
        var note = unitOnly.Length == 0
            ? ""
            : $"{string.Join(", ", unitOnly)}: systemd credentials can only be read inside the unit. 'ragagent status' shows whether they were read.";
        if (readable.Count == 0)
        {
            return CheckResult.Skipped(note);
        }
        var read = await new SecretReader(config with { Secrets = readable }, parameters, vault).ReadAsync(stopping);
        var what = $"Read: {string.Join(", ", read.Versions)}. {note}".TrimEnd();
        return read.Warnings is [{ } warning, ..] ? CheckResult.Warning(what, warning) : CheckResult.Ok(what);
    }
}
