namespace LocalAws.Requests;

/// <summary>One request to LocalAws.</summary>
/// <param name="Number">Counts from 1.</param>
/// <param name="Time">When the request arrived.</param>
/// <param name="Operation">A name from <see cref="Operations"/>, or the IAM action, such as <c>ssm:GetParameter</c>.</param>
/// <param name="Service">imds, ssm, ecr, ec2, route53, registry or storage.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Resource">An ARN for a signed call, otherwise the path, or the repository with its tag or digest.</param>
/// <param name="Principal">The caller's ARN; null if the request has no valid signature.</param>
/// <param name="UserAgent">The User-Agent header.</param>
/// <param name="Status">The HTTP status; null before the response; 0 if the connection ended without one.</param>
public sealed record RecordedRequest(
    long Number, DateTimeOffset Time, string Operation, string Service, string Method, string Resource, string? Principal,
    string UserAgent, int? Status);
