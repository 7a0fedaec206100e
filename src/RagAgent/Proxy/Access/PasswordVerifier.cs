using System.Net;
using System.Security.Cryptography;
using System.Text;
using RagAgent.Common;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>
/// Compares passwords with the hash. A comparison is slow by design, so results are cached: in memory only,
/// and under a keyed hash of the credentials instead of the credentials themselves.
/// </summary>
internal sealed class PasswordVerifier(AgentClock clock)
{
    // One on a small machine: the clients that are logged in need the rest of the CPU.
    private static readonly int MaxConcurrency = Math.Max(1, Environment.ProcessorCount / 2);
    private const int MaxPending = 16;
    private const int MaxRemembered = 1024;

    private readonly Lock _lock = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly TaskFactory _comparisonTasks =
        new(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, MaxConcurrency).ConcurrentScheduler);
    private readonly PasswordRateLimiter _rateLimiter = new();
    private readonly ExpiringCache<string, bool> _correct = new(AccessCookie.Lifetime, MaxRemembered);
    private readonly ExpiringCache<string, bool> _wrong = new(TimeSpan.FromMinutes(1), MaxRemembered);
    private readonly Dictionary<string, Task<bool>> _pending = [];
    private int _comparisons;

    /// <summary>How many comparisons have been made.</summary>
    public int Comparisons => Volatile.Read(ref _comparisons);

    /// <param name="credentials">The Authorization header as the client sent it.</param>
    /// <param name="password">The password in it.</param>
    /// <param name="hash">The hash of the configured password.</param>
    /// <param name="client">The address to charge the attempt to.</param>
    /// <param name="aborted">Fires when the client disconnects. The comparison still runs to its end.</param>
    public async Task<PasswordResult> VerifyAsync(
        string credentials, string password, PasswordHash hash, IPAddress client, CancellationToken aborted)
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
            // One page load is many concurrent requests with the same password: they share one comparison.
            if (!_pending.TryGetValue(cacheKey, out comparison!))
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
        await Task.Yield();   // lets the caller, which holds the lock, add this task to _pending first
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

    /// <summary>Includes the hash, so that a new password invalidates every cached result.</summary>
    private string CacheKey(string credentials, PasswordHash hash)
    {
        byte[] input = [.. hash.DeriveKey("ragagent remembered"), .. Encoding.UTF8.GetBytes(credentials)];
        return Convert.ToBase64String(HMACSHA256.HashData(_key, input));
    }
}
