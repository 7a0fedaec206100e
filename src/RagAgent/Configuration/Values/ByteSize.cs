using System.Buffers;
using System.Globalization;

namespace RagAgent.Configuration.Values;

/// <summary>Sizes as in Docker: <c>512m</c>, <c>4g</c>, <c>1.5GiB</c>. Units are powers of 1024 in every spelling.</summary>
internal static class ByteSize
{
    public const string FormatHelp = "use a number with k, m, g or t, like \"512m\", \"4g\" or \"1.5GiB\"";

    /// <summary>The engine rejects smaller memory limits.</summary>
    public const long Min = 6L << 20;

    public const long Max = 16L << 40;

    /// <summary>Enough for <see cref="Max"/> in bytes, and too few to overflow.</summary>
    private const int MaxDigits = 15;

    private static readonly SearchValues<char> AmountChars = SearchValues.Create("0123456789.");

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var end = text.AsSpan().IndexOfAnyExcept(AmountChars);
        if (end is < 1 or > MaxDigits || text[0] == '.' || text[end - 1] == '.')
        {
            return false;
        }

        int? shift = text[end..].TrimStart(' ').ToUpperInvariant() switch
        {
            "B" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => null,
        };
        if (shift is null
            || !decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
        {
            return false;
        }

        var exact = amount * (1L << shift.Value);
        bytes = exact > long.MaxValue ? long.MaxValue : (long)exact;
        return true;
    }
}
