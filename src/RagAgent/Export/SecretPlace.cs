using RagAgent.Configuration;

namespace RagAgent.Export;

/// <summary>The name of a parameter, taken apart.</summary>
/// <param name="Name">Without what chooses a version of it; an ARN when the configuration has one.</param>
/// <param name="Selector">A version or a label; null: the newest.</param>
/// <param name="InSecretsManager">The name of the secret that the parameter only leads to; null: it is a parameter.</param>
internal sealed record SecretPlace(string Name, string? Selector, string? InSecretsManager)
{
    private const int ColonsOfAnArn = 5;

    /// <param name="name">As the configuration's rules have accepted it.</param>
    public static SecretPlace Of(string name)
    {
        var isArn = name.StartsWith("arn:", StringComparison.Ordinal);
        var parts = isArn ? name.Split(':', ColonsOfAnArn + 2) : name.Split(':', 2);
        var without = isArn ? string.Join(':', parts.Take(ColonsOfAnArn + 1)) : parts[0];
        var parameter = isArn ? parts[ColonsOfAnArn]["parameter".Length..] : without;
        return new SecretPlace(
            without,
            parts.Length > (isArn ? ColonsOfAnArn + 1 : 1) ? parts[^1] : null,
            parameter.StartsWith(ParameterName.SecretsManagerPrefix, StringComparison.Ordinal) ? parameter[ParameterName.SecretsManagerPrefix.Length..] : null);
    }
}
