using System.Globalization;
using LocalAws.Signing;
using Xunit;

namespace RagAgent.IntegrationTests.LocalAwsTests;

/// <summary>The example that AWS publishes for Signature Version 4 (IAM's ListUsers on 30 August 2015), step by step.</summary>
public class SignatureVersion4Tests
{
    private const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private static readonly CredentialScope Scope = new("20150830", "us-east-1", "iam");
    private static readonly DateTimeOffset Time = DateTimeOffset.Parse("2015-08-30T12:36:00Z", CultureInfo.InvariantCulture);

    private static readonly SignedRequest Request = new("GET", "/", "Action=ListUsers&Version=2010-05-08", new Dictionary<string, string>
    {
        ["content-type"] = "application/x-www-form-urlencoded; charset=utf-8",
        ["host"] = "iam.amazonaws.com",
        ["x-amz-date"] = "20150830T123600Z",
    }, ReadOnlyMemory<byte>.Empty);

    private static readonly string[] SignedHeaders = ["content-type", "host", "x-amz-date"];

    [Fact]
    public void The_canonical_request_hashes_to_the_published_value() =>
        Assert.EndsWith("\nf536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59", StringToSign());

    [Fact]
    public void The_signing_key_is_the_published_one() =>
        Assert.Equal(
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
            SignatureVersion4.Hex(SignatureVersion4.SigningKey(Secret, Scope)));

    [Fact]
    public void The_signature_is_the_published_one() =>
        Assert.Equal(
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            SignatureVersion4.Signature(SignatureVersion4.SigningKey(Secret, Scope), StringToSign()));

    [Fact]
    public void A_canonical_query_is_sorted_and_a_canonical_path_is_encoded_twice()
    {
        var request = Request with { RawPath = "/a%20b/./c/../d", RawQuery = "b=2&a=1&a=0&c" };

        var lines = SignatureVersion4.CanonicalRequest(request, SignedHeaders).Split('\n');

        Assert.Equal("/a%2520b/d", lines[1]);
        Assert.Equal("a=0&a=1&b=2&c=", lines[2]);
    }

    private static string StringToSign() =>
        SignatureVersion4.StringToSign(Time, Scope, SignatureVersion4.CanonicalRequest(Request, SignedHeaders));
}
