namespace LocalAws.Signing;

/// <summary>A key pair that LocalAws knows, and its owner.</summary>
/// <param name="AccessKeyId">The access key ID.</param>
/// <param name="SecretAccessKey">The secret.</param>
/// <param name="SessionToken">Null for a static pair.</param>
/// <param name="Expires">Null for a static pair, which never expires.</param>
/// <param name="PrincipalArn">The caller's ARN in an access-denied message.</param>
public sealed record AwsCredential(
    string AccessKeyId, string SecretAccessKey, string? SessionToken, DateTimeOffset? Expires, string PrincipalArn);
