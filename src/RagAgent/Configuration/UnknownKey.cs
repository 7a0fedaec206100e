namespace RagAgent.Configuration;

/// <summary>What to say to a key that does not exist.</summary>
internal static class UnknownKey
{
    private const int MostPlaces = 3;

    /// <param name="name">The key as written.</param>
    /// <param name="section">The section that it stands in, by its name in <see cref="KnownKeys"/>.</param>
    public static string Explain(string name, string section)
    {
        IReadOnlyList<string> here = KnownKeys.Of(section);
        if (here.FirstOrDefault(key => Suggestion.SameWord(key, name)) is { } same) return $"unknown key; did you mean '{same}'?";
        if (Suggestion.Nearest(name, here) is { } near) return $"unknown key; did you mean '{near}'?";
        if (Suggestion.Nearest(name, KnownKeys.LastParts) is { } far) return $"unknown key here; did you mean {Places(far)}?";
        return $"unknown key; the keys here are {string.Join(", ", here)}";
    }

    private static string Places(string key) => string.Join(" or ", KnownKeys.Where(known => known == key).Take(MostPlaces));
}
