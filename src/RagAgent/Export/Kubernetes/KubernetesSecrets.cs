using RagAgent.Configuration;

namespace RagAgent.Export.Kubernetes;

/// <summary>The Secret is named, and not exported: a command makes it, which leads each value past the disk, the screen and the list of processes.</summary>
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
        // A value that can't be read ends it: a Secret with an empty one would be made as well.
        var reads = config.Secrets.Select(secret => $"{secret.Key}=\"$({ReadCommand(secret.Value, location.Region ?? config.Aws.Region)})\" && \\\n");
        var values = config.Secrets.Select(secret => $" \\\n--from-file={secret.Key}=<(printf %s \"${secret.Key}\")");
        notes.AddStep($"Make the Secret {name}, in a bash that may read the secrets:\n({string.Concat(reads)}kubectl create secret generic {name}{string.Concat(values)})");
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Delivery == SecretDelivery.Memory))
        {
            notes.AddRemark($"secrets.{variable}.delivery", "It is an environment variable of the container, out of a Secret in the cluster's store. A new value is a new Secret and 'kubectl rollout restart'; the External Secrets Operator does the first by itself.");
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Source == SecretSource.Credential))
        {
            notes.AddRemark($"secrets.{variable}.credential", "It is a credential of systemd: name the file that LoadCredential= has in the command above.");
        }
    }

    /// <summary>The command that prints the value.</summary>
    private static string ReadCommand(SecretConfig secret, string? region)
    {
        var command = secret.Source switch
        {
            SecretSource.Ssm => $"aws ssm get-parameter{(region is null ? "" : $" --region {region}")} --name {ShellQuote(secret.Name)} --with-decryption --query Parameter.Value --output text",
            SecretSource.File => $"sudo cat {ShellQuote(secret.Name)}",
            _ => $"sudo cat FILE-OF-{secret.Name}",
        };
        return secret.Json is { } field ? $"{command} | jq -r --arg field {ShellQuote(field)} '.[$field]'" : command;
    }

    private static string ShellQuote(string word) =>
        word.All(c => char.IsAsciiLetterOrDigit(c) || c is '/' or '_' or '-' or '.' or ':') ? word : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
