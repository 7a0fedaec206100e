using System.Buffers;
using System.Globalization;

namespace RagAgent.Configuration.Values;

/// <summary>Sizes as Docker writes them: <c>512m</c>, <c>4g</c>, <c>1.5GiB</c>. Every unit is a power of 1024, whatever its spelling.</summary>
internal static class ByteSize
{
    public const string FormatHelp = "write an amount and k, m, g or t, like \"512m\", \"4g\" or \"1.5GiB\"";

    /// <summary>The engine refuses a smaller memory limit.</summary>
    public const long Min = 6L << 20;

    public const long Max = 16L << 40;

    /// <summary>Enough for every size up to <see cref="Max"/>, and far from an overflow.</summary>
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
        if (shift is null || !decimal.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
        {
            return false;
        }

        var exact = amount * (1L << shift.Value);
        bytes = exact > long.MaxValue ? long.MaxValue : (long)exact;
        return true;
    }
}
