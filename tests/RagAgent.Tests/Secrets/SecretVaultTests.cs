using CsCheck;
using RagAgent.Configuration;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Secrets;

public class SecretVaultTests
{
    private readonly SecretVault _vault = new();

    [Fact]
    public void A_secret_prints_as_stars()
    {
        var secret = new SecretValue("sk-secret");

        Assert.Equal("***", secret.ToString());
        Assert.Equal("***", $"{secret}");
        Assert.DoesNotContain("sk-secret", new LoadedSecret("KEY", secret, SecretDelivery.Memory).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sk-secret", new RawSecret("sk-secret", "3").ToString(), StringComparison.Ordinal);
        Assert.Equal("sk-secret", secret.Reveal());
    }

    [Fact]
    public void Secrets_are_found_by_the_fingerprint_of_their_versions()
    {
        Store("one", "sk-first");
        Store("two", "sk-second");

        Assert.Equal("sk-first", _vault.Find("one")?.Single().Value.Reveal());
        Assert.Equal("sk-second", _vault.Find("two")?.Single().Value.Reveal());
        Assert.Null(_vault.Find("three"));
    }

    [Fact]
    public void Every_secret_ever_held_is_scrubbed_from_text()
    {
        Store("one", "sk-first");
        Store("two", "sk-second", "password");

        Assert.Equal("a *** b ***c***", _vault.Scrub("a sk-first b sk-secondcpassword"));
    }

    [Fact]
    public async Task Secrets_that_are_not_read_yet_can_be_awaited()
    {
        var stop = TestContext.Current.CancellationToken;
        var waiting = _vault.WaitAsync("two", stop);
        Store("one", "sk-first");
        Assert.False(waiting.IsCompleted);
        Store("two", "sk-second");

        await waiting.WaitAsync(TimeSpan.FromMilliseconds(RagAgent.Tests.Support.TestTimeouts.Milliseconds), TimeProvider.System, stop);
        Assert.True(_vault.WaitAsync("two", stop).IsCompletedSuccessfully);
    }

    [Fact]
    public void The_start_of_a_secret_is_scrubbed_from_the_end_of_truncated_text()
    {
        Assert.Equal("sk-fir", _vault.ScrubTruncated("sk-fir"));
        Store("one", "sk-first", "password-long");

        Assert.Equal("a *** b ***", _vault.ScrubTruncated("a sk-first b sk-fir"));
        Assert.Equal("a ***", _vault.ScrubTruncated("a password-lon"));
        Assert.Equal("a ***", _vault.ScrubTruncated("a sk-first"));
        Assert.Equal("sk-fir a", _vault.ScrubTruncated("sk-fir a"));
    }

    [Fact]
    public void A_secret_that_starts_like_another_one_is_scrubbed_completely()
    {
        Store("one", "sk-abcdef", "sk-abcdef-and-more", "abcdef");

        Assert.Equal("*** ***", _vault.Scrub("sk-abcdef-and-more sk-abcdef"));
    }

    [Fact]
    public void The_lines_of_a_multi_line_secret_are_scrubbed_one_by_one()
    {
        Store("one", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\r\nfQ==\n-----END KEY-----");

        Assert.Equal("| ***", _vault.Scrub("| MIIEvQIBADANBgkqhkiG"));
        Assert.Equal("***", _vault.Scrub("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\r\nfQ==\n-----END KEY-----"));
    }

    [Theory]
    [InlineData("12345", "port 12345", "port 12345")]
    [InlineData("123456", "port 123456", "port ***")]
    public void A_very_short_secret_is_not_scrubbed_because_it_occurs_in_too_many_texts(string secret, string text, string scrubbed)
    {
        Store("one", secret);

        Assert.Equal(scrubbed, _vault.Scrub(text));
    }

    [Theory]
    [InlineData("pass\"wo\\urd", "KEY = \"pass\\u0022wo\\\\\\u0075rd\"", "KEY = \"***\"")]
    [InlineData("\nsecret\n", "it is secret.", "it is ***.")]
    public void A_secret_is_scrubbed_as_it_stands_in_a_file(string secret, string text, string scrubbed)
    {
        Store("one", secret);

        Assert.Equal(scrubbed, _vault.Scrub(text));
    }

    [Fact]
    public void No_secret_is_left_in_scrubbed_text()
    {
        var secret = Gen.String[Gen.Char["abc-\n"], 6, 12];
        Gen.Select(secret.Array[1, 4], Gen.String[Gen.Char["abc \n"], 0, 8].Array[1, 5]).Sample((secrets, texts) =>
        {
            var vault = new SecretVault();
            vault.Store("one", [.. secrets.Select(s => new LoadedSecret("V", new SecretValue(s), SecretDelivery.Memory))]);
            var text = string.Concat(texts.Select((t, i) => t + secrets[i % secrets.Length]));
            var scrubbed = vault.Scrub(text);
            return secrets.All(s => !scrubbed.Contains(s, StringComparison.Ordinal));
        }, iter: 5_000);
    }

    private void Store(string fingerprint, params string[] secrets) =>
        _vault.Store(fingerprint, [.. secrets.Select(s => new LoadedSecret("V", new SecretValue(s), SecretDelivery.Memory))]);
}
