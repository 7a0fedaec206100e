using System.Buffers;
using RagAgent.Configuration.Errors;

namespace RagAgent.Configuration.Values;

/// <summary>Names in Parameter Store: <c>name</c>, <c>/path/name</c> or an ARN, optionally with <c>:version</c> or <c>:label</c>.</summary>
/// <remarks>Messages never contain a part of the name, in case it is the secret itself.</remarks>
internal static class ParameterName
{
    public const int MaxLength = 2048;

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

        if (ParameterReference.Parse(text) is not { } reference)
        {
            return new("be an ARN like \"arn:aws:ssm:eu-central-1:123456789012:parameter/ragstream/OPENAI_API_KEY\"");
        }

        if (reference.Selector is { } selector &&
            (selector.Length is 0 or > MaxSelectorLength || selector.AsSpan().ContainsAnyExcept(SelectorChars)))
        {
            return new("have a version or a label after the ':', like \"/ragstream/OPENAI_API_KEY:3\"");
        }

        return ValidateName(reference.Path, isSecretsManager: reference.SecretsManagerName is not null);
    }

    private static RuleViolation? ValidateName(string name, bool isSecretsManager)
    {
        if (name.AsSpan().ContainsAnyExcept(isSecretsManager ? SecretsManagerChars : NameChars))
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
}
