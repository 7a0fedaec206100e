using System.Net.Http.Headers;

namespace RagAgent.Diagnostics;

/// <summary>Parses the Retry-After header: how long a server asks clients to wait.</summary>
internal static class RetryAfter
{
    /// <summary>Longer waits are capped, so that one header can't keep the app down for an hour.</summary>
    public static readonly TimeSpan Max = TimeSpan.FromMinutes(10);

    /// <param name="header">Seconds or a date; null if the header was missing.</param>
    /// <param name="now">The wall clock, to convert a date.</param>
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

    /// <inheritdoc cref="Parse(RetryConditionHeaderValue?, DateTimeOffset)"/>
    public static TimeSpan? Parse(string? header, DateTimeOffset now) =>
        RetryConditionHeaderValue.TryParse(header, out var value) ? Parse(value, now) : null;
}
