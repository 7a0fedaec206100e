using System.Buffers;

namespace RagAgent.Configuration.Values;

/// <summary>Rules for names of variables, containers, Docker volumes, users, regions, credentials and hosts.</summary>
internal static class NameRules
{
    public const string VariableRule =
        "every name must be a valid environment variable name: letters, digits and '_', no digit first, like \"OPENAI_API_KEY\"";

    private const int MaxVariableLength = 255;
    private const int MaxEngineNameLength = 128;
    private const int MaxUserLength = 32;
    private const int MaxHostLength = 253;
    private const int MaxLabelLength = 63;
    private const string Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const string Digits = "0123456789";
    private static readonly SearchValues<char> VariableChars = SearchValues.Create(Letters + Digits + "_");
    private static readonly SearchValues<char> EngineChars = SearchValues.Create(Letters + Digits + "_.-");
    private static readonly SearchValues<char> RegionChars = SearchValues.Create("abcdefghijklmnopqrstuvwxyz" + Digits + "-");

    public static bool IsVariable(string name) =>
        name.Length is > 0 and <= MaxVariableLength && !name.AsSpan().ContainsAnyExcept(VariableChars) && !char.IsAsciiDigit(name[0]);

    /// <summary>The engine's rule for containers and volumes.</summary>
    public static bool IsEngineName(string name) =>
        name.Length is >= 2 and <= MaxEngineNameLength
        && char.IsAsciiLetterOrDigit(name[0])
        && !name.AsSpan().ContainsAnyExcept(EngineChars);

    public static RuleViolation? ValidateContainerName(string name) => IsEngineName(name)
        ? null
        : new($"be 2 to {MaxEngineNameLength} letters, digits, '_', '.' or '-', beginning with a letter or digit");

    public static RuleViolation? ValidateUser(string user)
    {
        var parts = user.Split(':');
        return parts.Length <= 2 && parts.All(IsUserPart) ? null : new("be a user, optionally with a group, like \"1000\", \"1000:1000\" or \"app\"");
    }

    public static RuleViolation? ValidateRegion(string region)
    {
        if (IsRegion(region))
        {
            return null;
        }

        var isZone = region.Length > 1 && char.IsAsciiLetterLower(region[^1]) && IsRegion(region[..^1]);
        return isZone
            ? new("be a region, not an availability zone", $"write \"{region[..^1]}\"")
            : new("be a region like \"eu-central-1\"");
    }

    /// <summary>A file name below <c>$CREDENTIALS_DIRECTORY</c>.</summary>
    public static RuleViolation? ValidateCredential(string name) =>
        name.Length is > 0 and <= MaxVariableLength && name is not ("." or "..") && !name.AsSpan().ContainsAnyExcept(EngineChars)
            ? null
            : new("be the name of a systemd credential: letters, digits, '_', '.' and '-' only", "for any other file, use \"file\"");

    /// <summary>Whether this is a fully qualified host name without a trailing dot, and not an address.</summary>
    public static bool IsHost(string name)
    {
        var labels = name.Split('.');
        return name.Length <= MaxHostLength && labels.Length >= 2 && labels.All(IsLabel) && !labels[^1].All(char.IsAsciiDigit);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabelLength && label[0] != '-' && label[^1] != '-'
        && label.All(character => char.IsAsciiLetterOrDigit(character) || character == '-');

    private static bool IsUserPart(string part)
    {
        if (part.Length is 0 or > MaxUserLength || part.AsSpan().ContainsAnyExcept(EngineChars) || part[0] is '-' or '.')
        {
            return false;
        }

        return part.AsSpan().ContainsAnyExceptInRange('0', '9') || int.TryParse(part, out _);
    }

    private static bool IsRegion(string text)
    {
        var parts = text.Split('-');
        return parts.Length is >= 3 and <= 6 && !text.AsSpan().ContainsAnyExcept(RegionChars) && parts.All(part => part.Length > 0)
            && char.IsAsciiLetterLower(text[0]) && parts[^1].Length <= 2 && parts[^1].All(char.IsAsciiDigit);
    }
}
