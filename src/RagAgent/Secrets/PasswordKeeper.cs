using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Secrets;

/// <summary>Holds the hash of the password that visitors come in by. Read at the start and whenever the app's secrets are; what was read outlives a source that is out of reach.</summary>
internal sealed class PasswordKeeper(AgentConfig config, SecretReader reader, TimeProvider time, ILogger<PasswordKeeper> logger) : BackgroundService
{
    /// <summary>The problem's code while nobody can come in by a password.</summary>
    public const string IsShut = "access-closed";

    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _asked = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile PasswordHash? _hash;
    private volatile Problem? _problem;
    private string? _version;
    private TaskCompletionSource _nextTry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: none is configured, or it can't be had (yet): nobody can come in by a password.</summary>
    public PasswordHash? Hash => _hash;

    /// <summary>Why it can't be had, or can't be had anew; null: all is well with it.</summary>
    public Problem? Problem => _problem;

    /// <summary>Why nobody gets in; null: somebody may.</summary>
    public Problem? KeepsVisitorsOut => _hash is null && config.Access is { Networks.Count: 0 } ? _problem : null;

    /// <summary>Called after <see cref="Problem"/> has changed. It must not block.</summary>
    public event Action? Changed;

    /// <summary>Has it read again.</summary>
    /// <returns>Ends when that was tried.</returns>
    public Task ReadSoon()
    {
        var tried = _nextTry.Task;
        _asked.Writer.TryWrite(true);
        return config.Access?.Password is null ? Task.CompletedTask : tried;
    }

    /// <summary>Reads it now, and keeps nothing.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="stopping">Ends it.</param>
    /// <returns>Null: what is there is no hash.</returns>
    /// <exception cref="ProblemException">It can't be read; says why.</exception>
    public async Task<(PasswordHash? Hash, string Version)> FetchAsync(SecretConfig source, CancellationToken stopping)
    {
        var (text, version) = await reader.ReadAsync(source, KnownKeys.Password, stopping);
        return (PasswordHash.Parse(text.Reveal()), version);
    }

    /// <summary>What is there is no hash.</summary>
    /// <param name="version">Of what, in words.</param>
    /// <param name="others">Some come in without a password.</param>
    public static Problem NoHash(string version, bool others) => Closed($"{version} is no hash that 'ragagent password' made.",
        "Make one with 'ragagent password' and store its one line; the agent looks again by itself.", others);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Access?.Password is not { } source)
        {
            return;
        }
        for (var failures = 0; ;)
        {
            // Who asks from here on hears of the next one: this one may have read already.
            var tried = Interlocked.Exchange(ref _nextTry, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            failures = await TryAsync(source, stoppingToken) ? 0 : failures + 1;
            tried.SetResult();
            await WaitAsync(failures, stoppingToken);
        }
    }

    private async Task<bool> TryAsync(SecretConfig source, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(Within, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
        var others = config.Access is { Networks.Count: > 0 };
        try
        {
            var (hash, version) = await FetchAsync(source, either.Token);
            _hash = hash;   // what is no hash has taken the place of the one before it: that one is not wanted any more
            if (hash is null)
            {
                Tell(NoHash(version, others));
                return false;
            }
            if (version != _version || _problem is not null)
            {
                logger.PasswordRead(version);
            }
            _version = version;
            Tell(null);
            return true;
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            var why = ForAHash(Problems.From(e));
            Tell(_hash is null
                ? Closed(Lower(why.What), why.Remedy, others) with { RetryAfter = why.RetryAfter }
                : new Problem("access-stale", $"The password's hash can't be read again, so the one that was read before goes on: {Lower(why.What)}", why.Remedy) { RetryAfter = why.RetryAfter });
            return false;
        }
    }

    /// <summary>Until somebody asks, or the time for another try has come.</summary>
    private async Task WaitAsync(int failures, CancellationToken stopping)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var asked = _asked.Reader.WaitToReadAsync(enough.Token).AsTask();
        var delay = Retry.After(failures, Random.Shared.NextDouble());
        var again = failures == 0 ? Timeout.InfiniteTimeSpan : _problem?.RetryAfter is { } longer && longer > delay ? longer : delay;
        await Task.WhenAny(asked, Task.Delay(again, time, enough.Token));
        await enough.CancelAsync();
        stopping.ThrowIfCancellationRequested();
        _asked.Reader.TryRead(out _);
    }

    private void Tell(Problem? problem)
    {
        if (problem == _problem)
        {
            return;
        }
        _problem = problem;
        // Of what closes the door, the supervision tells.
        if (problem is not null && KeepsVisitorsOut is null)
        {
            logger.PasswordTrouble(problem);
        }
        Changed?.Invoke();
    }

    /// <summary>What is said of any parameter, for this one: what belongs there is a hash.</summary>
    private static Problem ForAHash(Problem problem) => problem.Remedy.Contains("file://key.txt", StringComparison.Ordinal)
        ? problem with { Remedy = $"Make the hash with 'ragagent password > hash.txt'. {problem.Remedy.Replace("file://key.txt", "file://hash.txt", StringComparison.Ordinal).Replace("correct secrets", "correct access.password", StringComparison.Ordinal)}" }
        : problem;

    private static Problem Closed(string why, string remedy, bool others) =>
        new(IsShut, $"The password can't be checked, so no visitor gets in{(others ? " but those of access.networks" : "")}: {why}", remedy);

    private static string Lower(string sentence) => sentence.Length > 1 && char.IsLower(sentence[1]) ? char.ToLowerInvariant(sentence[0]) + sentence[1..] : sentence;
}

/// <summary>The app's secrets, with which the password is read again.</summary>
internal sealed class SecretsAndPassword(SecretReader secrets, PasswordKeeper password, TimeProvider time) : ISecrets
{
    // Who asks for an update wants to hear of both; an app whose secrets are there does not wait for visitors' passwords.
    private static readonly TimeSpan ForThePassword = TimeSpan.FromSeconds(2);

    public async Task<SecretVersions> ReadAsync(CancellationToken stopping)
    {
        var tried = password.ReadSoon();
        var versions = await secrets.ReadAsync(stopping);
        await Task.WhenAny(tried, Task.Delay(ForThePassword, time, stopping));
        return versions;
    }
}
