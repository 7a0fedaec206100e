namespace RagAgent.Configuration.Values;

/// <summary>
/// A reference to a parameter in its parts: <c>name</c>, <c>/path/name</c> or an ARN, each perhaps with <c>:selector</c>.
/// </summary>
/// <param name="Name">The reference without its selector. An ARN stays an ARN.</param>
/// <param name="Path">The parameter's own name, taken out of an ARN.</param>
/// <param name="Selector">A version or a label; null for the newest version.</param>
internal sealed record ParameterReference(string Name, string Path, string? Selector)
{
    private const string SecretsManagerPrefix = "/aws/reference/secretsmanager/";
    private const int ArnParts = 6;

    /// <summary>The name of the Secrets Manager secret that the parameter refers to; null if it is an ordinary parameter.</summary>
    public string? SecretsManagerName =>
        Path.StartsWith(SecretsManagerPrefix, StringComparison.Ordinal) ? Path[SecretsManagerPrefix.Length..] : null;

    /// <returns>Null if the text is an ARN of something else, or a malformed one. The parts themselves are not judged.</returns>
    public static ParameterReference? Parse(string text)
    {
        if (!text.StartsWith("arn:", StringComparison.Ordinal))
        {
            var nameAndSelector = text.Split(':', 2);
            return new ParameterReference(nameAndSelector[0], nameAndSelector[0], nameAndSelector.ElementAtOrDefault(1));
        }
        var parts = text.Split(':', ArnParts + 1);
        return PathInArn(parts) is { } path
            ? new ParameterReference(string.Join(':', parts.Take(ArnParts)), path, parts.ElementAtOrDefault(ArnParts))
            : null;
    }

    private static string? PathInArn(string[] parts)
    {
        if (parts is not [_, var partition, "ssm", var region, var account, var resource, ..] ||
            !partition.StartsWith("aws", StringComparison.Ordinal) ||
            NameRules.ValidateRegion(region) is not null ||
            account.Length != 12 || !account.All(char.IsAsciiDigit) ||
            !resource.StartsWith("parameter/", StringComparison.Ordinal))
        {
            return null;
        }
        var path = resource["parameter".Length..];
        // The ARN of a name without a path has only one slash: "parameter/name".
        return path.LastIndexOf('/') == 0 ? path[1..] : path;
    }
}
