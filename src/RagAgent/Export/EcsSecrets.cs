using System.Text.Json.Nodes;
using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>Secrets as ECS names them; their values are read by ECS alone.</summary>
internal static class EcsSecrets
{
    public static IEnumerable<JsonNode> Of(AgentConfig config, AwsPlace place, Notes notes)
    {
        foreach (var (variable, secret) in config.Secrets)
        {
            yield return new JsonObject { ["name"] = variable, ["valueFrom"] = ValueFrom(config, place, variable, secret, notes) };
        }
        foreach (var (variable, _) in config.Secrets.Where(secret => secret.Value.Delivery == SecretDelivery.Memory))
        {
            notes.Remark($"secrets.{variable}.delivery", "ECS hands it over as an environment variable of the container; it needs no shell, and a new value reaches the next task only.");
        }
    }

    private static string ValueFrom(AgentConfig config, AwsPlace place, string variable, SecretConfig secret, Notes notes)
    {
        var key = $"secrets.{variable}";
        if (secret.Source != SecretSource.Ssm)
        {
            var (last, what) = secret.Source == SecretSource.File ? ("file", "a file") : ("credential", "a credential of systemd");
            notes.Remark($"{key}.{last}", $"It is {what} of this machine: put it into Parameter Store.");
            TellField(key, secret, notes);
            return notes.Given(null, $"parameter-of-{variable}", $"The name of the parameter that you put {variable} into.");
        }
        var parameter = SecretPlace.Of(secret.Name);
        if (parameter.Selector is not null)
        {
            notes.Remark($"{key}.ssm", "ECS reads the newest version: it takes neither a version nor a label.");
        }
        if (parameter.InSecretsManager is { } name)
        {
            var region = ImageAddress.Region(config, place, notes);
            var suffix = notes.Given(null, $"suffix-of-{variable}", $"The six characters behind {name} in the ARN that 'aws secretsmanager describe-secret --secret-id {name}' shows.");
            return $"arn:{ImageAddress.Partition(region)}:secretsmanager:{region}:{ImageAddress.Account(place, notes)}:secret:{name}-{suffix}{(secret.Json is { } field ? $":{field}::" : "")}";
        }
        TellField(key, secret, notes);
        return parameter.Name;
    }

    private static void TellField(string key, SecretConfig secret, Notes notes)
    {
        if (secret.Json is not null)
        {
            notes.Remark($"{key}.json", "ECS takes a field only out of a secret of Secrets Manager: put this one into a parameter of its own, else the app gets the whole object.");
        }
    }
}
