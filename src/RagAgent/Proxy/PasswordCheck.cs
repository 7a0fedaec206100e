using System.Net;
using System.Security.Cryptography;
using System.Text;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>How a try came out.</summary>
/// <param name="IsRight">Null: it was not looked at.</param>
/// <param name="After">When it will be.</param>
internal sealed record Tried(bool? IsRight, TimeSpan After = default)
{
    public static Tried Right { get; } = new(true);
    public static Tried Wrong { get; } = new(false);

    public static Tried Later(TimeSpan after) => new(null, after);
}

/// <summary>Compares a password with the hash: rarely, for that is made to be slow. What was right or wrong is remembered, in memory and not as itself.</summary>
internal sealed class PasswordCheck(AgentClock clock)
{
    // One on a small machine: visitors who are in have the rest.
    private static readonly int AtOnce = Math.Max(1, Environment.ProcessorCount / 2);
    private const int MostWaiting = 16;
    private const int MostRemembered = 1024;

    private readonly Lock _lock = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly TaskFactory _turns = new(new ConcurrentExclusiveSchedulerPair(TaskScheduler.Default, AtOnce).ConcurrentScheduler);
    private readonly Guesses _guesses = new();
    private readonly Recent<string, bool> _right = new(AccessCookie.Life, MostRemembered);
    private readonly Recent<string, bool> _wrong = new(TimeSpan.FromMinutes(1), MostRemembered);
    private readonly Dictionary<string, Task<bool>> _underWay = [];
    private int _made;

    /// <summary>How many comparisons were made.</summary>
    public int Made => Volatile.Read(ref _made);

    /// <param name="credentials">What the visitor sent, whatever it is.</param>
    /// <param name="password">The password in it.</param>
    /// <param name="hash">Of the right one.</param>
    /// <param name="visitor">Whose try it is.</param>
    /// <param name="gone">The visitor does not wait for it any more; it is ended all the same.</param>
    public async Task<Tried> TryAsync(string credentials, string password, PasswordHash hash, IPAddress visitor, CancellationToken gone)
    {
        Task<bool> check;
        lock (_lock)
        {
            var (id, now) = (Id(credentials, hash), clock.Now);
            if (_right.TryGet(id, now, out _))
            {
                return Tried.Right;
            }
            if (_wrong.TryGet(id, now, out _))
            {
                return Tried.Wrong;
            }
            if (!_underWay.TryGetValue(id, out check!))   // a page is many requests at once, with one password
            {
                if (_underWay.Count >= MostWaiting)
                {
                    return Tried.Later(TimeSpan.FromSeconds(1));
                }
                if (_guesses.Charge(visitor, now) is { } after)
                {
                    return Tried.Later(after);
                }
                check = CompareAsync(id, password, hash, visitor);
                _underWay.Add(id, check);
            }
        }
        return await check.WaitAsync(gone) ? Tried.Right : Tried.Wrong;
    }

    private async Task<bool> CompareAsync(string id, string password, PasswordHash hash, IPAddress visitor)
    {
        await Task.Yield();   // the caller, who holds the lock, notes this first
        Interlocked.Increment(ref _made);
        var isRight = await _turns.StartNew(() => hash.Matches(password));
        lock (_lock)
        {
            _underWay.Remove(id);
            (isRight ? _right : _wrong).Put(id, true, clock.Now);
            if (isRight)
            {
                _guesses.GiveBack(visitor, clock.Now);
            }
        }
        return isRight;
    }

    /// <summary>Of these credentials against this hash: another hash knows nothing of them.</summary>
    private string Id(string credentials, PasswordHash hash) =>
        Convert.ToBase64String(HMACSHA256.HashData(_key, (byte[])[.. hash.Key("ragagent remembered"), .. Encoding.UTF8.GetBytes(credentials)]));
}
