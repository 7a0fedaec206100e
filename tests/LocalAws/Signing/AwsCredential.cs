namespace LocalAws.Signing;

/// <summary>A key pair that LocalAws knows, and whose it is.</summary>
/// <param name="AccessKeyId"></param>
/// <param name="SecretAccessKey"></param>
/// <param name="SessionToken">Null for a static pair.</param>
/// <param name="Expires">Null for a static pair: it never expires.</param>
/// <param name="PrincipalArn">The name that an access-denied message gives the caller.</param>
public sealed record AwsCredential(
    string AccessKeyId, string SecretAccessKey, string? SessionToken, DateTimeOffset? Expires, string PrincipalArn);
