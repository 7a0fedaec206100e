using RagAgent.Configuration.Binding;

namespace RagAgent.Configuration.Errors;

/// <summary>What to say to a key that does not exist.</summary>
internal static class UnknownKey
{
    private const int MaxSuggestions = 3;

    /// <param name="name">The key as written.</param>
    /// <param name="section">The section that it stands in, by its name in <see cref="KnownKeys"/>.</param>
    public static string Explain(string name, string section)
    {
        var siblings = KnownKeys.InSection(section);
        if (siblings.FirstOrDefault(key => Suggestion.IsSameWord(key, name)) is { } same)
        {
            return $"unknown key; did you mean '{same}'?";
        }

        if (Suggestion.Nearest(name, siblings) is { } near)
        {
            return $"unknown key; did you mean '{near}'?";
        }

        if (Suggestion.Nearest(name, KnownKeys.Names) is { } far)
        {
            return $"unknown key here; did you mean {QualifiedNames(far)}?";
        }

        return $"unknown key; the keys here are {string.Join(", ", siblings)}";
    }

    private static string QualifiedNames(string key) => string.Join(" or ", KnownKeys.Where(known => known == key).Take(MaxSuggestions));
}
