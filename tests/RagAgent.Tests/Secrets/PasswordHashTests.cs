using CsCheck;
using RagAgent.Secrets;
using Xunit;

namespace RagAgent.Tests.Secrets;

public sealed class PasswordHashTests
{
    private const string Salt = "c2FsdHNhbHRzYWx0c2FsdA";

    // By Python's hashlib.pbkdf2_hmac for "correct horse" with the salt "saltsaltsaltsalt" and 100,000 iterations.
    private const string Sha256 = "$pbkdf2-sha256$i=100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU";
    private const string Sha512 = "$pbkdf2-sha512$i=100000$" + Salt + "$Byw7nkAtKTXuj81UG53itgTqoZEs8GqToqbceEw3SpRAuIEBcVlhk8Az9c8eVEiRZaKBHGpEw2x/ERTJWKI5rw";

    [Theory]
    [InlineData(Sha256)]
    [InlineData(Sha512)]
    [InlineData("$pbkdf2-sha256$i=100000$" + Salt + "==$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU=")]   // as other tools write it
    public void A_hash_made_by_another_tool_is_accepted(string text)
    {
        var hash = PasswordHash.Parse(text);

        Assert.True(hash!.Verify("correct horse"));
        Assert.False(hash.Verify("correct horse "));
        Assert.False(hash.Verify(""));
    }

    [Fact]
    public void A_new_hash_verifies_its_password_and_is_different_every_time()
    {
        var (one, other) = (PasswordHash.Create("pässwörd: x"), PasswordHash.Create("pässwörd: x"));

        Assert.Matches("^\\$pbkdf2-sha256\\$i=600000\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}$", one);
        Assert.NotEqual(one, other);
        Assert.True(PasswordHash.Parse(one)!.Verify("pässwörd: x"));
        Assert.False(PasswordHash.Parse(one)!.Verify("password: x"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("hunter2")]
    [InlineData("$2b$12$abcdefghijklmnopqrstuv")]
    [InlineData("$pbkdf2-md5$i=100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$i=99999$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$i=5000001$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$i=99999999999$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$i=-100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("$pbkdf2-sha256$i=100000$c2FsdA$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]   // four bytes of salt
    [InlineData("$pbkdf2-sha256$i=100000$" + Salt + "$")]
    [InlineData("$pbkdf2-sha256$i=100000$" + Salt + "$Byw7nkAtKTXuj81UG53itgTqoZEs8GqToqbceEw3SpRAuIEBcVlhk8Az9c8eVEiRZaKBHGpEw2x/ERTJWKI5rw")]   // wrong length
    [InlineData("$pbkdf2-sha256$i=100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU$")]
    [InlineData("$pbkdf2-sha256$i=100000$not base64!$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    [InlineData("x$pbkdf2-sha256$i=100000$" + Salt + "$KrknpOxgyY+SfnUNJ728j3mLPGzlOZ2k28ROG3/DgyU")]
    public void Text_that_is_not_a_supported_hash_is_rejected(string text) => Assert.Null(PasswordHash.Parse(text));

    [Fact]
    public void Parsing_never_throws_whatever_the_text() =>
        Gen.String.Select(
            Gen.OneOf(Gen.Const("$"), Gen.Const("i="), Gen.Const("pbkdf2-sha256"), Gen.Const("="), Gen.Const("AAAA")),
            (a, b) => a + b).Array[0, 12].Sample(parts => { PasswordHash.Parse(string.Join('$', parts)); });

    [Fact]
    public void A_derived_key_is_stable_and_differs_for_each_purpose_and_hash()
    {
        var hash = PasswordHash.Parse(Sha256)!;

        Assert.Equal(hash.DeriveKey("cookie"), PasswordHash.Parse(Sha256)!.DeriveKey("cookie"));
        Assert.NotEqual(hash.DeriveKey("cookie"), hash.DeriveKey("other"));
        Assert.NotEqual(hash.DeriveKey("cookie"), PasswordHash.Parse(Sha512)!.DeriveKey("cookie"));
        Assert.Equal("***", hash.ToString());
    }
}
