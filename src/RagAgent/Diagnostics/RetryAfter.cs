using System.Net.Http.Headers;

namespace RagAgent.Diagnostics;

/// <summary>How long a server that refused asked to be left in peace.</summary>
internal static class RetryAfter
{
    /// <summary>Longer is not believed: an app that is down for an hour because of one header helps nobody.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromMinutes(10);

    /// <param name="header">Seconds or a date; null: it did not say.</param>
    /// <param name="now">By the wall clock, for a date.</param>
    public static TimeSpan? Parse(RetryConditionHeaderValue? header, DateTimeOffset now)
    {
        var requested = header?.Delta ?? (header?.Date is { } date ? date - now : null);
        return requested switch
        {
            null => null,
            { } delay when delay < TimeSpan.Zero => TimeSpan.Zero,
            { } delay when delay > Max => Max,
            _ => requested,
        };
    }

    /// <summary>The same, from the header's text.</summary>
    public static TimeSpan? Parse(string? header, DateTimeOffset now) =>
        RetryConditionHeaderValue.TryParse(header, out var value) ? Parse(value, now) : null;
}
