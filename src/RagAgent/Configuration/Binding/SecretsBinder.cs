using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>secrets</c> section, and what else says where a secret is. Nothing in it is ever shown.</summary>
internal static class SecretsBinder
{
    private const int MaxFieldLength = 255;
    private const string Expected = "a parameter's name like \"/ragstream/OPENAI_API_KEY\", or an object { \"ssm\" or \"file\" or \"credential\": … }";

    private static readonly (string Key, SecretSource Source, ValueParser<string> Kind)[] Sources =
    [
        ("ssm", SecretSource.Ssm, ValueParsers.String("a parameter's name like \"/ragstream/OPENAI_API_KEY\"", ParameterName.Validate, secret: true)),
        ("file", SecretSource.File, ValueParsers.String("a path like \"/run/secrets/openai\"", PathRules.ValidateAbsolute, secret: true)),
        ("credential", SecretSource.Credential, ValueParsers.String("the name of a systemd credential like \"openai\"", NameRules.ValidateCredential, secret: true)),
    ];

    public static IReadOnlyDictionary<string, SecretConfig> Bind(ConfigSection file, ConfigErrors errors)
    {
        var secrets = new Dictionary<string, SecretConfig>(StringComparer.Ordinal);
        foreach ((var path, var member) in file.Variables("secrets"))
        {
            secrets[member.Name] = member.Value switch
            {
                ObjectNode entry => BindAppSecret(new ConfigSection(entry, path, KnownKeys.Secret, errors)),
                _ => BindText(path, member.Value, errors),
            };
        }

        return secrets;
    }

    /// <summary>A single source, of what is not for the app.</summary>
    /// <param name="path">Its dotted key.</param>
    /// <param name="node">A text, or an object.</param>
    /// <param name="schemaKey">What <see cref="KnownKeys"/> calls the object.</param>
    /// <param name="errors">Takes what is found wrong.</param>
    public static SecretConfig BindSource(string path, ConfigNode node, string schemaKey, ConfigErrors errors) =>
        node is ObjectNode entry ? BindObject(new ConfigSection(entry, path, schemaKey, errors)) : BindText(path, node, errors);

    private static SecretConfig BindAppSecret(ConfigSection section) =>
        BindObject(section) with { Delivery = section.Read("delivery", SecretDelivery.Memory, ParseDelivery) };

    private static SecretConfig BindText(string path, ConfigNode node, ConfigErrors errors)
    {
        var name = (node as StringNode)?.Value ?? "";
        if (node is not StringNode)
        {
            errors.Add(node.Position, path, ErrorMessages.Must($"be {Expected}", node.TypeName));
        }
        else if (ParameterName.Validate(name) is { } violation)
        {
            errors.Add(node.Position, path, ErrorMessages.Must(violation.Requirement, null, violation.Hint));
        }
        // In the short form, where a secret itself is most easily put by mistake, a name has to look like one.
        else if (!name.StartsWith('/') && !name.StartsWith("arn:", StringComparison.Ordinal))
        {
            errors.Add(node.Position, path, ErrorMessages.Must($"begin with '/', like \"/ragstream/{(path == KnownKeys.Password ? "PASSWORD_HASH" : path.Split('.')[^1])}\"", null, "a parameter whose name has no path is written { \"ssm\": \"NAME\" }; a secret itself never stands here"));
        }

        return new SecretConfig(SecretSource.Ssm, name);
    }

    private static SecretConfig BindObject(ConfigSection section)
    {
        (SecretSource Source, string Name)? found = null;
        var given = new List<string>();
        foreach ((var key, var source, var parser) in Sources)
        {
            if (!section.Has(key))
            {
                continue;
            }

            given.Add(key);
            found = (source, section.Read(key, "", parser));
        }

        if (given.Count == 0)
        {
            section.AddSectionError("says no source; give one of \"ssm\", \"file\" and \"credential\"");
        }

        if (given.Count > 1)
        {
            section.AddSectionError($"says {given.Count} sources ({string.Join(", ", given)}); keep one");
        }

        return new SecretConfig(
            found?.Source ?? SecretSource.Ssm,
            found?.Name ?? "",
            section.Read("json", null, ValueParsers.OrNull(ValueParsers.String("the name of a field like \"OPENAI_API_KEY\", or null", ValidateField, secret: true))));
    }

    private static RuleViolation? ValidateField(string field) =>
        field.Length is > 0 and <= MaxFieldLength ? null : new($"be the name of a field, 1 to {MaxFieldLength} characters");

    private static string? ParseDelivery(ConfigNode node, out SecretDelivery value)
    {
        var problem = ValueParsers.OneOf(("memory", SecretDelivery.Memory), ("environment", SecretDelivery.Environment))(node, out value);
        return problem is null ? null : "must be \"memory\" or \"environment\"";
    }
}
