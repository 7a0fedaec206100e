using System.Buffers;
using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>Names of Parameter Store: <c>name</c>, <c>/path/name</c>, an ARN, each perhaps with <c>:version</c> or <c>:label</c>.</summary>
/// <remarks>No message of this class holds a part of the name: it may be the secret itself, in the wrong place.</remarks>
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
            return new(Expected, "this looks like the key itself: put it in Parameter Store and write the parameter's name here");
        }

        if (text.Length > MaxLength)
        {
            return new($"be at most {MaxLength} characters long");
        }

        var name = text;
        if (text.StartsWith("arn:", StringComparison.Ordinal))
        {
            if (FromArn(text) is not { } inArn)
            {
                return new("be an ARN like \"arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY\"");
            }

            name = inArn;
        }

        var colon = name.IndexOf(':', StringComparison.Ordinal);
        if (colon >= 0)
        {
            var selector = name[(colon + 1)..];
            if (selector.Length is 0 or > MaxSelectorLength || selector.AsSpan().ContainsAnyExcept(SelectorChars))
            {
                return new("have a version or a label after its ':', like \"/ragstream/OPENAI_API_KEY:3\"");
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
            return new("be a parameter's name: letters, digits and _ . - /", "no spaces, no quotes, not the value itself");
        }

        if (name.Contains('/', StringComparison.Ordinal) && !name.StartsWith('/'))
        {
            return new("begin with '/'", "a parameter's name with a '/' in it begins with one");
        }

        if (name.EndsWith('/') || name.Contains("//", StringComparison.Ordinal))
        {
            return new("have a name between and after its slashes");
        }

        return name.Count(character => character == '/') > MaxDepth ? new($"have at most {MaxDepth} levels") : null;
    }

    /// <summary>The parameter's name in an ARN, with its selector; null when it is no ARN of a parameter.</summary>
    private static string? FromArn(string arn)
    {
        var parts = arn.Split(':', 6);
        if (parts.Length < 6 || !parts[1].StartsWith("aws", StringComparison.Ordinal) || parts[2] != "ssm")
        {
            return null;
        }

        var account = parts[4].Length == 12 && parts[4].All(char.IsAsciiDigit);
        if (NameRules.ValidateRegion(parts[3]) is not null || !account || !parts[5].StartsWith("parameter/", StringComparison.Ordinal))
        {
            return null;
        }

        var name = parts[5]["parameter".Length..];
        // The ARN of a name without a path has the one slash only: "parameter/name".
        return name.LastIndexOf('/') == 0 ? name[1..] : name;
    }
}
