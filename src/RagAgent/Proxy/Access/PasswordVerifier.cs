using System.Net;
using System.Security.Cryptography;
using System.Text;
using RagAgent.Common;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>How a try came out.</summary>
/// <param name="IsCorrect">Null: it was not looked at.</param>
/// <param name="RetryAfter">When it will be.</param>
internal sealed record PasswordResult(bool? IsCorrect, TimeSpan RetryAfter = default)
{
    public static PasswordResult Correct { get; } = new(true);
    public static PasswordResult Wrong { get; } = new(false);

    public static PasswordResult RateLimited(TimeSpan retryAfter) => new(null, retryAfter);
}

/// <summary>Compares a password with the hash: rarely, for that is made to be slow. What was right or wrong is remembered, in memory and not as itself.</summary>
internal sealed class PasswordVerifier(AgentClock clock)
{
    // One on a small machine: visitors who are in have the rest.
    private static readonly int MaxConcurrency = Math.Max(1, Environment.ProcessorCount / 2);
    private const int MaxPending = 16;
    private const int MaxRemembered = 1024;

    private readonly Lock _lock = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly TaskFactory _comparisonTasks = new(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, MaxConcurrency).ConcurrentScheduler);
    private readonly PasswordRateLimiter _rateLimiter = new();
    private readonly ExpiringCache<string, bool> _correct = new(AccessCookie.Lifetime, MaxRemembered);
    private readonly ExpiringCache<string, bool> _wrong = new(TimeSpan.FromMinutes(1), MaxRemembered);
    private readonly Dictionary<string, Task<bool>> _pending = [];
    private int _comparisons;

    /// <summary>How many comparisons were made.</summary>
    public int Comparisons => Volatile.Read(ref _comparisons);

    /// <param name="credentials">What the visitor sent, whatever it is.</param>
    /// <param name="password">The password in it.</param>
    /// <param name="hash">Of the right one.</param>
    /// <param name="client">Whose try it is.</param>
    /// <param name="aborted">The visitor does not wait for it any more; it is ended all the same.</param>
    public async Task<PasswordResult> VerifyAsync(string credentials, string password, PasswordHash hash, IPAddress client, CancellationToken aborted)
    {
        Task<bool> comparison;
        lock (_lock)
        {
            var (cacheKey, now) = (CacheKey(credentials, hash), clock.Now);
            if (_correct.TryGet(cacheKey, now, out _))
            {
                return PasswordResult.Correct;
            }
            if (_wrong.TryGet(cacheKey, now, out _))
            {
                return PasswordResult.Wrong;
            }
            if (!_pending.TryGetValue(cacheKey, out comparison!))   // a page is many requests at once, with one password
            {
                if (_pending.Count >= MaxPending)
                {
                    return PasswordResult.RateLimited(TimeSpan.FromSeconds(1));
                }
                if (_rateLimiter.Acquire(client, now) is { } retryAfter)
                {
                    return PasswordResult.RateLimited(retryAfter);
                }
                comparison = CompareAsync(cacheKey, password, hash, client);
                _pending.Add(cacheKey, comparison);
            }
        }
        return await comparison.WaitAsync(aborted) ? PasswordResult.Correct : PasswordResult.Wrong;
    }

    private async Task<bool> CompareAsync(string cacheKey, string password, PasswordHash hash, IPAddress client)
    {
        await Task.Yield();   // the caller, who holds the lock, notes this first
        Interlocked.Increment(ref _comparisons);
        var isCorrect = await _comparisonTasks.StartNew(() => hash.Verify(password));
        lock (_lock)
        {
            _pending.Remove(cacheKey);
            (isCorrect ? _correct : _wrong).Set(cacheKey, true, clock.Now);
            if (isCorrect)
            {
                _rateLimiter.Refund(client, clock.Now);
            }
        }
        return isCorrect;
    }

    /// <summary>Of these credentials against this hash: another hash knows nothing of them.</summary>
    private string CacheKey(string credentials, PasswordHash hash) =>
        Convert.ToBase64String(HMACSHA256.HashData(_key, (byte[])[.. hash.DeriveKey("ragagent remembered"), .. Encoding.UTF8.GetBytes(credentials)]));
}
