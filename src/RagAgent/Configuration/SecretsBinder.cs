namespace RagAgent.Configuration;

/// <summary>The <c>secrets</c> section, and what else says where a secret is. Nothing in it is ever shown.</summary>
internal static class SecretsBinder
{
    private const int LongestField = 255;
    private const string Expected = "a parameter's name like \"/ragstream/OPENAI_API_KEY\", or an object { \"ssm\" or \"file\" or \"credential\": … }";

    private static readonly (string Key, SecretSource Source, Kind<string> Kind)[] Sources =
    [
        ("ssm", SecretSource.Ssm, Kinds.Text("a parameter's name like \"/ragstream/OPENAI_API_KEY\"", ParameterName.Rule, secret: true)),
        ("file", SecretSource.File, Kinds.Text("a path like \"/run/secrets/openai\"", PathRules.Absolute, secret: true)),
        ("credential", SecretSource.Credential, Kinds.Text("the name of a systemd credential like \"openai\"", NameRules.Credential, secret: true)),
    ];

    public static IReadOnlyDictionary<string, SecretConfig> Bind(Section file, Findings findings)
    {
        var secrets = new Dictionary<string, SecretConfig>(StringComparer.Ordinal);
        foreach ((string path, Member member) in file.Variables("secrets"))
        {
            secrets[member.Name] = member.Value switch
            {
                ObjectNode entry => ForTheApp(new Section(entry, path, KnownKeys.Secret, findings)),
                _ => FromText(path, member.Value, findings),
            };
        }

        return secrets;
    }

    /// <summary>A single source, of what is not for the app.</summary>
    /// <param name="path">Its dotted key.</param>
    /// <param name="node">A text, or an object.</param>
    /// <param name="template">What <see cref="KnownKeys"/> calls the object.</param>
    /// <param name="findings">Takes what is found wrong.</param>
    public static SecretConfig Source(string path, ConfigNode node, string template, Findings findings) =>
        node is ObjectNode entry ? FromObject(new Section(entry, path, template, findings)) : FromText(path, node, findings);

    private static SecretConfig ForTheApp(Section section) =>
        FromObject(section) with { Delivery = section.Read("delivery", SecretDelivery.Memory, Delivery) };

    private static SecretConfig FromText(string path, ConfigNode node, Findings findings)
    {
        string name = (node as TextNode)?.Value ?? "";
        if (node is not TextNode) findings.Add(node.At, path, Say.Must($"be {Expected}", node.Kind));
        else if (ParameterName.Rule(name) is { } refusal) findings.Add(node.At, path, Say.Must(refusal.Must, null, refusal.Hint));
        // In the short form, where a secret itself is most easily put by mistake, a name has to look like one.
        else if (!name.StartsWith('/') && !name.StartsWith("arn:", StringComparison.Ordinal))
            findings.Add(node.At, path, Say.Must($"begin with '/', like \"/ragstream/{(path == KnownKeys.Password ? "PASSWORD_HASH" : path.Split('.')[^1])}\"", null, "a parameter whose name has no path is written { \"ssm\": \"NAME\" }; a secret itself never stands here"));
        return new SecretConfig(SecretSource.Ssm, name);
    }

    private static SecretConfig FromObject(Section section)
    {
        (SecretSource Source, string Name)? found = null;
        var given = new List<string>();
        foreach ((string key, SecretSource source, Kind<string> kind) in Sources)
        {
            if (!section.Has(key)) continue;
            given.Add(key);
            found = (source, section.Read(key, "", kind));
        }

        if (given.Count == 0) section.RefuseWhole("says no source; give one of \"ssm\", \"file\" and \"credential\"");
        if (given.Count > 1) section.RefuseWhole($"says {given.Count} sources ({string.Join(", ", given)}); keep one");
        return new SecretConfig(
            found?.Source ?? SecretSource.Ssm,
            found?.Name ?? "",
            section.Read("json", null, Kinds.OrNull(Kinds.Text("the name of a field like \"OPENAI_API_KEY\", or null", Field, secret: true))));
    }

    private static Refusal? Field(string field) =>
        field.Length is > 0 and <= LongestField ? null : new($"be the name of a field, 1 to {LongestField} characters");

    private static string? Delivery(ConfigNode node, out SecretDelivery value)
    {
        string? problem = Kinds.Choice(("memory", SecretDelivery.Memory), ("environment", SecretDelivery.Environment))(node, out value);
        return problem is null ? null : "must be \"memory\" or \"environment\"";
    }
}
