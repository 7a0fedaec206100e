namespace RagAgent.IntegrationTests.Support;

/// <param name="Status">The HTTP status, or 0 if the connection broke.</param>
/// <param name="HasRetryAfter">Whether the response has a Retry-After header.</param>
/// <param name="Body">The page, or the error if the connection broke.</param>
/// <param name="SentAt">A timestamp of <see cref="TimeProvider.System"/>.</param>
/// <param name="AnsweredAt">A timestamp of <see cref="TimeProvider.System"/>.</param>
internal sealed record ClientRequest(int Status, bool HasRetryAfter, string Body, long SentAt, long AnsweredAt);
