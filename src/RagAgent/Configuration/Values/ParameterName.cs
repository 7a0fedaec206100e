using System.Buffers;
using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>Names in Parameter Store: <c>name</c>, <c>/path/name</c> or an ARN, optionally with <c>:version</c> or <c>:label</c>.</summary>
/// <remarks>Messages never contain a part of the name, in case it is the secret itself.</remarks>
internal static class ParameterName
{
    public const int MaxLength = 2048;
    public const string SecretsManagerPrefix = "/aws/reference/secretsmanager/";

    private const int MaxDepth = 15;
    private const int MaxSelectorLength = 100;
    private const string PlainChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    private static readonly SearchValues<char> SelectorChars = SearchValues.Create(PlainChars);
    private static readonly SearchValues<char> NameChars = SearchValues.Create(PlainChars + "/");
    private static readonly SearchValues<char> SecretsManagerChars = SearchValues.Create(PlainChars + "/+=@");

    public static RuleViolation? Validate(string text)
    {
        const string Expected = "name a parameter, like \"/ragstream/OPENAI_API_KEY\"";
        if (text.Length == 0)
        {
            return new(Expected, "it is empty");
        }

        if (Quoting.ContainsOpenAiKey(text))
        {
            return new(Expected, "this looks like the key itself: put the key in Parameter Store and its parameter name here");
        }

        if (text.Length > MaxLength)
        {
            return new($"be at most {MaxLength} characters long");
        }

        var name = text;
        if (text.StartsWith("arn:", StringComparison.Ordinal))
        {
            if (FromArn(text) is not { } nameInArn)
            {
                return new("be an ARN like \"arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY\"");
            }

            name = nameInArn;
        }

        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            var selector = name[(colon + 1)..];
            if (selector.Length is 0 or > MaxSelectorLength || selector.AsSpan().ContainsAnyExcept(SelectorChars))
            {
                return new("have a version or a label after the ':', like \"/ragstream/OPENAI_API_KEY:3\"");
            }

            name = name[..colon];
        }

        return ValidateName(name);
    }

    private static RuleViolation? ValidateName(string name)
    {
        var reference = name.StartsWith(SecretsManagerPrefix, StringComparison.Ordinal);
        if (name.AsSpan().ContainsAnyExcept(reference ? SecretsManagerChars : NameChars))
        {
            return new("be a parameter name: letters, digits and _ . - /", "no spaces, no quotes, and not the value itself");
        }

        if (name.Contains('/', StringComparison.Ordinal) && !name.StartsWith('/'))
        {
            return new("begin with '/'", "a parameter name that contains '/' also begins with it");
        }

        if (name.EndsWith('/') || name.Contains("//", StringComparison.Ordinal))
        {
            return new("have a name between slashes and after the last one");
        }

        return name.Count(character => character == '/') > MaxDepth ? new($"have at most {MaxDepth} levels") : null;
    }

    /// <summary>The parameter name in an ARN, with its selector; null if this is not the ARN of a parameter.</summary>
    private static string? FromArn(string arn)
    {
        var parts = arn.Split(':', 6);
        if (parts.Length < 6 || !parts[1].StartsWith("aws", StringComparison.Ordinal) || parts[2] != "ssm")
        {
            return null;
        }

        var hasAccount = parts[4].Length == 12 && parts[4].All(char.IsAsciiDigit);
        if (NameRules.ValidateRegion(parts[3]) is not null || !hasAccount || !parts[5].StartsWith("parameter/", StringComparison.Ordinal))
        {
            return null;
        }

        var name = parts[5]["parameter".Length..];
        // In the ARN of a name without a path, the only slash is that of "parameter/".
        return name.LastIndexOf('/') == 0 ? name[1..] : name;
    }
}
