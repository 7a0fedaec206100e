using System.Net.Http.Headers;

namespace RagAgent.Diagnostics;

/// <summary>How long a server that refused asked to be left in peace.</summary>
internal static class RetryAfter
{
    /// <summary>Longer is not believed: an app that is down for an hour because of one header helps nobody.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <param name="header">Seconds or a date; null: it did not say.</param>
    /// <param name="now">By the wall clock, for a date.</param>
    public static TimeSpan? Read(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var asked = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        return asked switch
        {
            null => null,
            { } some when some < TimeSpan.Zero => TimeSpan.Zero,
            { } some when some > Longest => Longest,
            _ => asked,
        };
    }

    /// <summary>The same, from the header's text.</summary>
    public static TimeSpan? Read(string? header, DateTimeOffset now) =>
        RetryConditionHeaderValue.TryParse(header, out var value) ? Read(value, now) : null;
}
