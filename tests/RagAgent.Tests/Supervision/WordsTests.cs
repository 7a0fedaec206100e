using RagAgent.Common;
using Xunit;

namespace RagAgent.Tests.Supervision;

/// <summary>How durations, sizes and digests are written for people.</summary>
public class WordsTests
{
    [Theory]
    [InlineData(0, "0ms")]
    [InlineData(250, "250ms")]
    [InlineData(999, "999ms")]
    [InlineData(1_000, "1s")]
    [InlineData(1_400, "1s")]
    [InlineData(1_600, "2s")]
    [InlineData(20_000, "20s")]
    [InlineData(60_000, "1m")]
    [InlineData(90_000, "1m30s")]
    [InlineData(3_600_000, "1h")]
    [InlineData(5_400_000, "1h30m")]
    [InlineData(3_601_000, "1h1s")]
    [InlineData(86_400_000, "1d")]
    [InlineData(90_061_000, "1d1h1m1s")]
    public void A_duration_names_its_units_from_days_to_seconds_except_those_that_are_zero(double milliseconds, string words) =>
        Assert.Equal(words, Humanize.Duration(TimeSpan.FromMilliseconds(milliseconds)));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1_000, "1 kB")]
    [InlineData(999_000, "999 kB")]
    [InlineData(1_000_000, "1 MB")]
    [InlineData(1_600_000, "2 MB")]
    [InlineData(999_000_000, "999 MB")]
    [InlineData(1_000_000_000, "1.0 GB")]
    [InlineData(1_250_000_001, "1.3 GB")]
    public void A_size_is_written_in_the_largest_decimal_unit_that_fits(long bytes, string words) =>
        Assert.Equal(words, Humanize.Bytes(bytes));

    [Theory]
    [InlineData("sha256:0123456789abcdef", "sha256:0123456789ab")]
    [InlineData("sha256:0123456789ab", "sha256:0123456789ab")]
    [InlineData("sha256:new", "sha256:new")]
    public void A_digest_is_cut_to_twelve_digits(string digest, string words) => Assert.Equal(words, Humanize.Digest(digest));
}
