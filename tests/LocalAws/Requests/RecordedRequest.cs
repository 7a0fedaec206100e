namespace LocalAws.Requests;

/// <summary>One request that LocalAws was asked.</summary>
/// <param name="Number"></param>
/// <param name="Time"></param>
/// <param name="Operation">As <see cref="Operations"/> names it, or the action's own name: <c>ssm:GetParameter</c>.</param>
/// <param name="Service">imds, ssm, ecr, registry, storage.</param>
/// <param name="Method"></param>
/// <param name="Resource">An ARN for a signed call, else the path or the repository with its tag, digest.</param>
/// <param name="Principal">The ARN of the caller; null when the request isn't signed, or not rightly.</param>
/// <param name="UserAgent"></param>
/// <param name="Status">Null while nothing was answered yet; 0 when the connection ended without an answer.</param>
public sealed record RecordedRequest(
    long Number, DateTimeOffset Time, string Operation, string Service, string Method, string Resource, string? Principal,
    string UserAgent, int? Status);
