using RagAgent.Configuration.Values;

namespace RagAgent.Export;

/// <summary>The name of a parameter, taken apart.</summary>
/// <param name="Name">Without what chooses a version of it; an ARN when the configuration has one.</param>
/// <param name="Selector">A version or a label; null: the newest.</param>
/// <param name="SecretsManagerName">The name of the secret that the parameter only leads to; null: it is a parameter.</param>
internal sealed record ParameterReference(string Name, string? Selector, string? SecretsManagerName)
{
    private const int ArnColons = 5;

    /// <param name="name">As the configuration's rules have accepted it.</param>
    public static ParameterReference Parse(string name)
    {
        var isArn = name.StartsWith("arn:", StringComparison.Ordinal);
        var parts = isArn ? name.Split(':', ArnColons + 2) : name.Split(':', 2);
        var nameOnly = isArn ? string.Join(':', parts.Take(ArnColons + 1)) : parts[0];
        var parameter = isArn ? parts[ArnColons]["parameter".Length..] : nameOnly;
        return new ParameterReference(
            nameOnly,
            parts.Length > (isArn ? ArnColons + 1 : 1) ? parts[^1] : null,
            parameter.StartsWith(ParameterName.SecretsManagerPrefix, StringComparison.Ordinal) ? parameter[ParameterName.SecretsManagerPrefix.Length..] : null);
    }
}
