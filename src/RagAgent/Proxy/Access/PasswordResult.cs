namespace RagAgent.Proxy.Access;

/// <summary>The result of a login attempt.</summary>
/// <param name="IsCorrect">Null: the attempt was rate-limited, and its password was not compared.</param>
/// <param name="RetryAfter">For a rate-limited attempt: how long to wait before the next one.</param>
internal sealed record PasswordResult(bool? IsCorrect, TimeSpan RetryAfter = default)
{
    public static PasswordResult Correct { get; } = new(true);
    public static PasswordResult Wrong { get; } = new(false);

    public static PasswordResult RateLimited(TimeSpan retryAfter) => new(null, retryAfter);
}
