using System.Globalization;

namespace LocalAws.Ssm;

/// <summary>What a caller may write as a name: the name, <c>name:version</c>, or the ARN of either.</summary>
/// <param name="Name"></param>
/// <param name="Selector">As it was written, with its colon; empty when there is none.</param>
internal sealed record ParameterName(string Name, string Selector)
{
    /// <summary>Null when there is no selector, or when it is a label: labels are not kept here.</summary>
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

    // The ARN of "/a/b" is parameter/a/b, that of "b" is parameter/b.
    public static string Arn(string name, string region, string account) =>
        $"arn:aws:ssm:{region}:{account}:parameter/{name.TrimStart('/')}";
}
