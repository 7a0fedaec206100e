using System.Globalization;
using System.Text;

namespace RagAgent.Configuration.Values;

/// <summary>The syntax of durations in the file: <c>500ms</c>, <c>20s</c>, <c>10m</c>, <c>12h</c>, <c>1h30m</c>.</summary>
/// <remarks>Whole numbers with units, largest unit first, each unit at most once. There is no unit for days.</remarks>
internal static class Duration
{
    public const string FormatHelp = "use whole numbers with h, m, s or ms, like \"500ms\", \"20s\", \"10m\" or \"1h30m\"";

    /// <summary>Too few to overflow.</summary>
    private const int MaxDigits = 9;

    private static readonly (string Name, long Milliseconds)[] Units = [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

    public static bool TryParse(string text, out TimeSpan value)
    {
        value = default;
        ReadOnlySpan<char> rest = text;
        long milliseconds = 0;
        var next = 0;
        do
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > MaxDigits)
            {
                return false;
            }

            var amount = long.Parse(rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
            rest = rest[digits..];
            var letters = rest.IndexOfAnyExceptInRange('a', 'z');
            var name = letters < 0 ? rest : rest[..letters];
            rest = rest[name.Length..];
            while (next < Units.Length && !name.SequenceEqual(Units[next].Name))
            {
                next++;
            }

            if (next == Units.Length)
            {
                return false;
            }

            milliseconds += amount * Units[next++].Milliseconds;
        }
        while (!rest.IsEmpty);

        value = TimeSpan.FromMilliseconds(milliseconds);
        return true;
    }

    /// <summary>The shortest text that <see cref="TryParse"/> accepts for this value, without fractions of a millisecond.</summary>
    /// <remarks>Not for status and log, where durations are rounded and can have days.</remarks>
    public static string Format(TimeSpan value)
    {
        var text = new StringBuilder();
        var rest = (long)value.TotalMilliseconds;
        foreach ((var name, var milliseconds) in Units)
        {
            if (rest / milliseconds > 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{rest / milliseconds}{name}");
            }

            rest %= milliseconds;
        }

        return text.Length == 0 ? "0s" : text.ToString();
    }

    /// <summary>Whether the text is a number with its unit forgotten.</summary>
    public static bool IsPlainNumber(string text) => text.Length is > 0 and <= 5 && !text.AsSpan().ContainsAnyExceptInRange('0', '9');
}
