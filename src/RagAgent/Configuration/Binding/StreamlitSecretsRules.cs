using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>What <c>container.streamlitSecrets</c> needs from the rest of the file.</summary>
internal static class StreamlitSecretsRules
{
    public static void Check(
        ConfigSection file, ConfigSection section, ContainerConfig container, IReadOnlyDictionary<string, SecretConfig> secrets)
    {
        const string Key = "streamlitSecrets";
        if (!container.StreamlitSecrets)
        {
            return;
        }

        if (secrets.Values.All(secret => secret.Path is not null))
        {
            section.AddError(Key, "needs a secret without a path: only those are in st.secrets");
        }

        if (secrets.FirstOrDefault(secret => secret.Value.Delivery == SecretDelivery.Environment) is { Key: { } name })
        {
            section.AddError(
                Key,
                $"needs \"memory\" delivery of every secret, but secrets.{name} (line {file.LineOf("secrets", name)}) has \"environment\"");
        }

        if (secrets.Values.All(secret => secret.Path is null) &&
            container.Volumes.FirstOrDefault(volume => SecretPath.Overlaps(volume.Container, SecretPath.DefaultFolder)) is { } volume)
        {
            section.AddError(Key, $"needs the folder {SecretPath.DefaultFolder}, which the volume {Quoting.Value(volume.Container)} hides");
        }

        foreach (var place in (string[])["environment", "secrets"])
        {
            if (file.LineOf(place, SecretPath.StreamlitVariable) is { } line)
            {
                section.AddError(Key, $"sets {SecretPath.StreamlitVariable}, which is also in {place} (line {line}); remove one of them");
            }
        }
    }
}
