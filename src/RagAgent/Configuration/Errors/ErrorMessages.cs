using RagAgent.Configuration.Binding;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Errors;

/// <summary>The wording that all errors share.</summary>
internal static class ErrorMessages
{
    private const int MaxSuggestions = 3;

    /// <returns><c>must …, but is …; hint</c></returns>
    public static string Must(string expected, string? found, string? hint = null) =>
        $"must {expected}{(found is null ? "" : $", but is {found}")}{(hint is null ? "" : $"; {hint}")}";

    /// <summary>Names the type that was found, never the value, which may be a secret.</summary>
    public static string WrongType(string expected, ConfigNode node, string? hint = null) =>
        Must($"be {expected}", node.TypeName, hint ?? (node is NullNode ? "remove the key to use its default" : null));

    /// <param name="name">The key as written.</param>
    /// <param name="section">The section that contains the key, by its name in <see cref="KnownKeys"/>.</param>
    public static string UnknownKey(string name, string section)
    {
        var siblings = KnownKeys.InSection(section);
        if (siblings.FirstOrDefault(key => Suggestion.IsSameWord(key, name)) is { } same)
        {
            return $"unknown key; did you mean '{same}'?";
        }

        if (Suggestion.Nearest(name, siblings) is { } sibling)
        {
            return $"unknown key; did you mean '{sibling}'?";
        }

        if (Suggestion.Nearest(name, KnownKeys.Names) is { } elsewhere)
        {
            var places = KnownKeys.Where(known => known == elsewhere).Take(MaxSuggestions);
            return $"unknown key here; did you mean {string.Join(" or ", places)}?";
        }

        return $"unknown key; the keys here are {string.Join(", ", siblings)}";
    }
}
