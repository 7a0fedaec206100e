using System.Text.Json.Nodes;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;

namespace RagAgent.Export.Ecs;

/// <summary>Secrets as ECS names them; their values are read by ECS alone.</summary>
internal static class EcsSecrets
{
    public static IEnumerable<JsonNode> Create(AgentConfig config, AwsLocation location, ExportNotes notes)
    {
        foreach (var (variable, secret) in config.Secrets)
        {
            yield return new JsonObject { ["name"] = variable, ["valueFrom"] = ValueFrom(config, location, variable, secret, notes) };
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Delivery == SecretDelivery.Memory))
        {
            notes.AddRemark($"secrets.{variable}.delivery", "ECS hands it over as an environment variable of the container; it needs no shell, and a new value reaches the next task only.");
        }
    }

    private static string ValueFrom(AgentConfig config, AwsLocation location, string variable, SecretConfig secret, ExportNotes notes)
    {
        var key = $"secrets.{variable}";
        if (secret.Source != SecretSource.Ssm)
        {
            var (last, what) = secret.Source == SecretSource.File ? ("file", "a file") : ("credential", "a credential of systemd");
            notes.AddRemark($"{key}.{last}", $"It is {what} of this machine: put it into Parameter Store.");
            AddFieldRemark(key, secret, notes);
            return notes.ValueOrPlaceholder(null, $"parameter-of-{variable}", $"The name of the parameter that you put {variable} into.");
        }
        var parameter = ParameterReference.Parse(secret.Name)!;   // the configuration's rules have accepted it
        if (parameter.Selector is not null)
        {
            notes.AddRemark($"{key}.ssm", "ECS reads the newest version: it takes neither a version nor a label.");
        }
        if (parameter.SecretsManagerName is { } name)
        {
            var region = ImageUri.RegionOrPlaceholder(config, location, notes);
            var suffix = notes.ValueOrPlaceholder(null, $"suffix-of-{variable}", $"The six characters behind {name} in the ARN that 'aws secretsmanager describe-secret --secret-id {name}' shows.");
            return $"arn:{ImageUri.Partition(region)}:secretsmanager:{region}:{ImageUri.AccountOrPlaceholder(location, notes)}:secret:{name}-{suffix}{(secret.Json is { } field ? $":{field}::" : "")}";
        }
        AddFieldRemark(key, secret, notes);
        return parameter.Name;
    }

    private static void AddFieldRemark(string key, SecretConfig secret, ExportNotes notes)
    {
        if (secret.Json is not null)
        {
            notes.AddRemark($"{key}.json", "ECS takes a field only out of a secret of Secrets Manager: put this one into a parameter of its own, else the app gets the whole object.");
        }
    }
}
