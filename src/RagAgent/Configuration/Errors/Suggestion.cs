namespace RagAgent.Configuration.Errors;

/// <summary>Guesses the intended word.</summary>
internal static class Suggestion
{
    /// <summary>The nearest candidate; null if none is near enough for a typo.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        var plain = Normalize(word);
        if (plain.Length is 0 or > 40)
        {
            return null;
        }

        (string? best, var bestDistance) = (null, int.MaxValue);
        foreach (var candidate in candidates)
        {
            var distance = Distance(plain, Normalize(candidate));
            if (distance < bestDistance)
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        if (bestDistance <= Math.Max(1, Math.Min(3, plain.Length / 3)))
        {
            return best;
        }

        return plain.Length < 3
            ? null
            : candidates.FirstOrDefault(candidate => Normalize(candidate).StartsWith(plain, StringComparison.Ordinal));
    }

    /// <summary>Whether two words differ only in case, hyphens and underscores: <c>stop_timeout</c> and <c>stopTimeout</c>.</summary>
    public static bool IsSameWord(string one, string other) => Normalize(one) == Normalize(other);

    private static string Normalize(string word) =>
        word.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>Damerau-Levenshtein distance: insertions, deletions, replacements and swaps of neighbouring letters.</summary>
    private static int Distance(string from, string to)
    {
        var steps = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++)
        {
            steps[i, 0] = i;
        }

        for (var j = 0; j <= to.Length; j++)
        {
            steps[0, j] = j;
        }

        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = steps[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                steps[i, j] = Math.Min(replaced, 1 + Math.Min(steps[i - 1, j], steps[i, j - 1]));
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
                {
                    steps[i, j] = Math.Min(steps[i, j], steps[i - 2, j - 2] + 1);
                }
            }
        }

        return steps[from.Length, to.Length];
    }
}
