using System.Text.Json.Nodes;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;

namespace RagAgent.Export.Ecs;

/// <summary>References to the secrets. ECS itself reads their values.</summary>
internal static class EcsSecrets
{
    public static IEnumerable<JsonNode> Create(AgentConfig config, AwsLocation location, ExportNotes notes)
    {
        foreach (var (variable, secret) in config.Secrets)
        {
            yield return new JsonObject { ["name"] = variable, ["valueFrom"] = ValueFrom(config, location, variable, secret, notes) };
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Path is not null))
        {
            notes.AddRemark(
                $"secrets.{variable}.path",
                $"ECS can't put a secret into a file: the app gets the variable {variable}. Its entrypoint can write the file.");
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Delivery == SecretDelivery.Memory))
        {
            notes.AddRemark(
                $"secrets.{variable}.delivery",
                "ECS passes it as an environment variable of the container. That needs no shell. A new value reaches only the next task.");
        }
    }

    private static string ValueFrom(AgentConfig config, AwsLocation location, string variable, SecretConfig secret, ExportNotes notes)
    {
        var key = $"secrets.{variable}";
        if (secret.Source != SecretSource.Ssm)
        {
            var (source, description) = secret.Source == SecretSource.File ? ("file", "a file") : ("credential", "a systemd credential");
            notes.AddRemark($"{key}.{source}", $"It is {description} on this machine: put it in Parameter Store.");
            AddFieldRemark(key, secret, notes);
            return notes.ValueOrPlaceholder(null, $"parameter-of-{variable}", $"The name of the parameter with the value of {variable}.");
        }
        var parameter = ParameterReference.Parse(secret.Name)!;   // the configuration's rules have accepted it
        if (parameter.Selector is not null)
        {
            notes.AddRemark($"{key}.ssm", "ECS reads the newest version. It supports neither versions nor labels.");
        }
        if (parameter.SecretsManagerName is { } name)
        {
            var region = ImageUri.RegionOrPlaceholder(config, location, notes);
            var suffix = notes.ValueOrPlaceholder(
                null,
                $"suffix-of-{variable}",
                $"The six characters after {name} in the ARN that 'aws secretsmanager describe-secret --secret-id {name}' shows.");
            var account = ImageUri.AccountOrPlaceholder(location, notes);
            var field = secret.Json is { } json ? $":{json}::" : "";
            return $"arn:{ImageUri.Partition(region)}:secretsmanager:{region}:{account}:secret:{name}-{suffix}{field}";
        }
        AddFieldRemark(key, secret, notes);
        return parameter.Name;
    }

    private static void AddFieldRemark(string key, SecretConfig secret, ExportNotes notes)
    {
        if (secret.Json is not null)
        {
            notes.AddRemark(
                $"{key}.json",
                "ECS reads fields only from Secrets Manager. Put this one in its own parameter, or the app gets the whole object.");
        }
    }
}
