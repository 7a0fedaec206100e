using RagAgent.Configuration;

namespace RagAgent.Export.Kubernetes;

/// <summary>
/// Notes on the Secret, which is not exported.
/// A command creates it without showing values on a disk, a screen or in a process list.
/// </summary>
internal static class KubernetesSecrets
{
    public static string NameOf(string app) => $"{app}-secrets";

    public static void AddNotes(AgentConfig config, AwsLocation location, string app, ExportNotes notes)
    {
        if (config.Secrets.Count == 0)
        {
            return;
        }
        var name = NameOf(app);
        // Stops at a value that can't be read. Otherwise it would create a Secret with an empty one.
        var region = location.Region ?? config.Aws.Region;
        var reads = config.Secrets.Select(secret => $"{secret.Key}=\"$({ReadCommand(secret.Value, region)})\" && \\\n");
        var values = config.Secrets.Select(secret => $" \\\n--from-file={secret.Key}=<(printf %s \"${secret.Key}\")");
        notes.AddStep(
            $"Create the Secret {name}, in a bash with permission to read the secrets:\n"
            + $"({string.Concat(reads)}kubectl create secret generic {name}{string.Concat(values)})");
        foreach (var (variable, secret) in config.Secrets.Where(secret => secret.Value.Delivery == SecretDelivery.Memory))
        {
            notes.AddRemark(
                $"secrets.{variable}.delivery",
                $"It is {(secret.Path is null ? "an environment variable" : "a file")} of the container, from a Secret in the cluster's store. "
                + "A new value needs a new Secret, which the External Secrets Operator creates automatically, and 'kubectl rollout restart'.");
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Source == SecretSource.Credential))
        {
            notes.AddRemark($"secrets.{variable}.credential", "It is a systemd credential: in the command above, use the file of its LoadCredential=.");
        }
    }

    /// <summary>A shell command that prints the value.</summary>
    private static string ReadCommand(SecretConfig secret, string? region)
    {
        var command = secret.Source switch
        {
            SecretSource.Ssm => $"aws ssm get-parameter{(region is null ? "" : $" --region {region}")} --name {ShellQuote(secret.Name)} "
                + "--with-decryption --query Parameter.Value --output text",
            SecretSource.File => $"sudo cat {ShellQuote(secret.Name)}",
            _ => $"sudo cat FILE-OF-{secret.Name}",
        };
        return secret.Json is { } field ? $"{command} | jq -r --arg field {ShellQuote(field)} '.[$field]'" : command;
    }

    private static string ShellQuote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '.' or ':')
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
