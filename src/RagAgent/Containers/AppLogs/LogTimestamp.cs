using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace RagAgent.Containers.AppLogs;

/// <summary>
/// Parses the engine's timestamp before a message, such as <c>2026-11-24T13:28:41.642767802Z</c>, to nanoseconds since 1970.
/// </summary>
internal static class LogTimestamp
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const int SecondsTextLength = 19;

    public static long FromDateTimeOffset(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;

    public static DateTimeOffset ToDateTimeOffset(long nanoseconds) => DateTimeOffset.UnixEpoch.AddTicks(nanoseconds / 100);

    /// <summary>The format of the engine's <c>since</c> parameter.</summary>
    public static string ToSinceParameter(long nanoseconds) =>
        string.Create(CultureInfo.InvariantCulture, $"{nanoseconds / NanosecondsPerSecond}.{nanoseconds % NanosecondsPerSecond:D9}");

    /// <returns>The timestamp and the text after it and its space; null if the message doesn't start with a timestamp.</returns>
    public static (long At, ReadOnlyMemory<byte> Text)? SplitPrefix(ReadOnlyMemory<byte> payload)
    {
        var end = payload.Span[..Math.Min(payload.Length, 64)].IndexOf((byte)' ');
        return end > SecondsTextLength && Parse(payload.Span[..end]) is { } at ? (at, payload[(end + 1)..]) : null;
    }

    private static long? Parse(ReadOnlySpan<byte> text)
    {
        Span<char> seconds = stackalloc char[SecondsTextLength];
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (!Encoding.ASCII.TryGetChars(text[..SecondsTextLength], seconds, out _) ||
            !DateTime.TryParseExact(seconds, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, utc, out var dateTime))
        {
            return null;
        }
        var rest = text[SecondsTextLength..];
        var fraction = 0L;
        if (rest[0] == '.')
        {
            var digits = 1;
            for (; digits < rest.Length && char.IsAsciiDigit((char)rest[digits]); digits++)
            {
                fraction = digits <= 9 ? (fraction * 10) + (rest[digits] - '0') : fraction;
            }
            for (var missing = digits; missing <= 9; missing++)
            {
                fraction *= 10;
            }
            rest = rest[digits..];
        }
        return ParseOffsetMinutes(rest) is { } offset
            ? ((dateTime.Ticks - DateTime.UnixEpoch.Ticks) * 100) + fraction - (offset * 60 * NanosecondsPerSecond)
            : null;
    }

    /// <summary>In minutes. Some engine versions write their machine's time zone.</summary>
    private static int? ParseOffsetMinutes(ReadOnlySpan<byte> zone)
    {
        if (zone is [(byte)'Z'])
        {
            return 0;
        }
        return zone is [(byte)'+' or (byte)'-', _, _, (byte)':', _, _] &&
            Utf8Parser.TryParse(zone[1..3], out byte hours, out _) &&
            Utf8Parser.TryParse(zone[4..], out byte minutes, out _)
                ? (zone[0] == '-' ? -1 : 1) * ((hours * 60) + minutes)
                : null;
    }
}
