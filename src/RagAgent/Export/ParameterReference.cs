using RagAgent.Configuration.Values;

namespace RagAgent.Export;

/// <summary>The parts of a parameter name.</summary>
/// <param name="Name">A name or an ARN, without the selector.</param>
/// <param name="Selector">A version or a label; null: the newest version.</param>
/// <param name="SecretsManagerName">The Secrets Manager secret that the parameter refers to; null: it is a real parameter.</param>
internal sealed record ParameterReference(string Name, string? Selector, string? SecretsManagerName)
{
    private const int ArnColons = 5;

    /// <param name="name">Valid by <see cref="ParameterName.Validate"/>.</param>
    public static ParameterReference Parse(string name)
    {
        var isArn = name.StartsWith("arn:", StringComparison.Ordinal);
        var parts = isArn ? name.Split(':', ArnColons + 2) : name.Split(':', 2);
        var nameOnly = isArn ? string.Join(':', parts.Take(ArnColons + 1)) : parts[0];
        var parameter = isArn ? parts[ArnColons]["parameter".Length..] : nameOnly;
        var isReference = parameter.StartsWith(ParameterName.SecretsManagerPrefix, StringComparison.Ordinal);
        return new ParameterReference(
            nameOnly,
            parts.Length > (isArn ? ArnColons + 1 : 1) ? parts[^1] : null,
            isReference ? parameter[ParameterName.SecretsManagerPrefix.Length..] : null);
    }
}
