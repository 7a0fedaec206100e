using System.Globalization;

namespace LocalAws.Ssm;

/// <summary>A caller's reference to a parameter, parsed: the name, <c>name:version</c>, or the ARN of either.</summary>
/// <param name="Name">The parameter's own name.</param>
/// <param name="Selector">As written, with its colon; empty if there is none.</param>
internal sealed record ParameterName(string Name, string Selector)
{
    /// <summary>Null if there is no selector, or if it is a label. Labels are not supported.</summary>
    public int? Version =>
        int.TryParse(Selector.TrimStart(':'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : null;

    public static ParameterName Parse(string text)
    {
        if (text.StartsWith("arn:", StringComparison.Ordinal) && text.Split(':', 6) is [_, _, _, _, _, var resource])
        {
            text = resource["parameter".Length..];
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? new ParameterName(text, "") : new ParameterName(text[..colon], text[colon..]);
    }

    // The ARN of "/a/b" ends with parameter/a/b, that of "b" with parameter/b.
    public static string Arn(string name, string region, string account) =>
        $"arn:aws:ssm:{region}:{account}:parameter/{name.TrimStart('/')}";
}
