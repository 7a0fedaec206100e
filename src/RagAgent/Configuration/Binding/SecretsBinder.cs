using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Json;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>secrets</c> section, and <c>access.password</c>, which is written like a secret. Their values are never shown.</summary>
internal static class SecretsBinder
{
    private const int MaxFieldLength = 255;
    private const string Expected = "a parameter name like \"/ragstream/OPENAI_API_KEY\", or an object { \"ssm\" or \"file\" or \"credential\": … }";

    private static readonly (string Key, SecretSource Source, ValueParser<string> Parser)[] Sources =
    [
        (
            "ssm",
            SecretSource.Ssm,
            ValueParsers.String("a parameter name like \"/ragstream/OPENAI_API_KEY\"", ParameterName.Validate, secret: true)),
        ("file", SecretSource.File, ValueParsers.String("a path like \"/run/secrets/openai\"", PathRules.ValidateAbsolute, secret: true)),
        (
            "credential",
            SecretSource.Credential,
            ValueParsers.String("the name of a systemd credential like \"openai\"", NameRules.ValidateCredential, secret: true)),
    ];

    private static readonly ValueParser<string?> PathParser = ValueParsers.OrNull(
        ValueParsers.String("a path like \"/run/secrets/openai\", or null", SecretPath.Validate, secret: true));

    public static IReadOnlyDictionary<string, SecretConfig> Bind(ConfigSection file, ContainerConfig container, ConfigErrors errors)
    {
        var secrets = new Dictionary<string, SecretConfig>(StringComparer.Ordinal);
        var files = new SecretFileRules(container);
        foreach ((var path, var member) in file.Variables("secrets"))
        {
            if (member.Value is ObjectNode entry)
            {
                var section = new ConfigSection(entry, path, KnownKeys.Secret, errors);
                secrets[member.Name] = BindAppSecret(section);
                files.Check(path, secrets[member.Name], section, member.Position.Line);
            }
            else
            {
                secrets[member.Name] = BindString(path, member.Value, errors);
            }
        }

        return secrets;
    }

    /// <summary>The source of a secret that the agent itself uses.</summary>
    /// <param name="path">Its dotted key.</param>
    /// <param name="node">A string or an object.</param>
    /// <param name="schemaKey">The object's name in <see cref="KnownKeys"/>.</param>
    /// <param name="errors">Collects the errors.</param>
    public static SecretConfig BindSource(string path, ConfigNode node, string schemaKey, ConfigErrors errors) =>
        node is ObjectNode entry ? BindObject(new ConfigSection(entry, path, schemaKey, errors)) : BindString(path, node, errors);

    private static SecretConfig BindAppSecret(ConfigSection section) => BindObject(section) with
    {
        Delivery = section.Read("delivery", SecretDelivery.Memory, ParseDelivery),
        Path = section.Read("path", null, PathParser),
    };

    private static SecretConfig BindString(string path, ConfigNode node, ConfigErrors errors)
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
        // In the short form, where a secret is most easily put by mistake, only names that look like one are accepted.
        else if (!name.StartsWith('/') && !name.StartsWith("arn:", StringComparison.Ordinal))
        {
            var example = path == KnownKeys.Password ? "PASSWORD_HASH" : path.Split('.')[^1];
            var hint = "for a parameter without a path, write { \"ssm\": \"NAME\" }; never put the secret itself here";
            errors.Add(node.Position, path, ErrorMessages.Must($"begin with '/', like \"/ragstream/{example}\"", null, hint));
        }

        return new SecretConfig(SecretSource.Ssm, name);
    }

    private static SecretConfig BindObject(ConfigSection section)
    {
        (SecretSource Source, string Name)? found = null;
        var keys = new List<string>();
        foreach ((var key, var source, var parser) in Sources)
        {
            if (!section.Has(key))
            {
                continue;
            }

            keys.Add(key);
            found = (source, section.Read(key, "", parser));
        }

        if (keys.Count == 0)
        {
            section.AddSectionError("has no source; set one of \"ssm\", \"file\" and \"credential\"");
        }

        if (keys.Count > 1)
        {
            section.AddSectionError($"has {keys.Count} sources ({string.Join(", ", keys)}); keep one");
        }

        var fieldName = ValueParsers.String("a field name like \"OPENAI_API_KEY\", or null", ValidateField, secret: true);
        return new SecretConfig(
            found?.Source ?? SecretSource.Ssm,
            found?.Name ?? "",
            section.Read("json", null, ValueParsers.OrNull(fieldName)));
    }

    private static RuleViolation? ValidateField(string field) =>
        field.Length is > 0 and <= MaxFieldLength ? null : new($"be a field name of 1 to {MaxFieldLength} characters");

    private static string? ParseDelivery(ConfigNode node, out SecretDelivery value)
    {
        var problem = ValueParsers.OneOf(("memory", SecretDelivery.Memory), ("environment", SecretDelivery.Environment))(node, out value);
        return problem is null ? null : "must be \"memory\" or \"environment\"";
    }
}
