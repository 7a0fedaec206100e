namespace RagAgent.IntegrationTests.Support;

/// <param name="Status">0: the connection broke.</param>
/// <param name="HasRetryAfter">There is a Retry-After.</param>
/// <param name="Body">The page, or what broke.</param>
/// <param name="SentAt">A timestamp.</param>
/// <param name="AnsweredAt">Another one.</param>
internal sealed record ClientRequest(int Status, bool HasRetryAfter, string Body, long SentAt, long AnsweredAt);
