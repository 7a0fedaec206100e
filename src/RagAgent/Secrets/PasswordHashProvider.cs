using System.Threading.Channels;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Configuration.Binding;
using RagAgent.Reporting;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Secrets;

/// <summary>Holds the hash of the password that visitors come in by. Read at the start and whenever the app's secrets are; what was read outlives a source that is out of reach.</summary>
internal sealed class PasswordHashProvider(AgentConfig config, SecretReader reader, TimeProvider time, ILogger<PasswordHashProvider> logger)
    : BackgroundService, IPasswordStatus
{
    /// <summary>The problem's code while nobody can come in by a password.</summary>
    public static readonly ProblemKind ClosedCode = ProblemCatalog.AccessClosed;

    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _refreshRequests = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile PasswordHash? _hash;
    private volatile Problem? _problem;
    private string? _version;
    private TaskCompletionSource _nextAttempt = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null: none is configured, or it can't be had (yet): nobody can come in by a password.</summary>
    public PasswordHash? Hash => _hash;

    /// <summary>Why it can't be had, or can't be had anew; null: all is well with it.</summary>
    public Problem? Problem => _problem;

    IEnumerable<ReportedProblem> IProblemSource.Problems => _problem is { } problem ? [new(problem)] : [];

    /// <summary>Why nobody gets in; null: somebody may.</summary>
    public Problem? BlockingProblem => _hash is null && config.Access is { Networks.Count: 0 } ? _problem : null;

    /// <summary>Called after <see cref="Problem"/> has changed. It must not block.</summary>
    public event Action? Changed;

    /// <summary>Has it read again.</summary>
    /// <returns>Ends when that was tried.</returns>
    public Task RefreshAsync()
    {
        var attempt = _nextAttempt.Task;
        _refreshRequests.Writer.TryWrite(true);
        return config.Access?.Password is null ? Task.CompletedTask : attempt;
    }

    /// <summary>Reads it now, and keeps nothing.</summary>
    /// <param name="source">Where it is.</param>
    /// <param name="stopping">Ends it.</param>
    /// <returns>Null: what is there is no hash.</returns>
    /// <exception cref="ProblemException">It can't be read; says why.</exception>
    public async Task<(PasswordHash? Hash, string Version)> ReadHashAsync(SecretConfig source, CancellationToken stopping)
    {
        var (text, version) = await reader.ReadAsync(source, KnownKeys.Password, stopping);
        return (PasswordHash.Parse(text.Reveal()), version);
    }

    /// <summary>What is there is no hash.</summary>
    /// <param name="version">Of what, in words.</param>
    /// <param name="hasNetworks">Some come in without a password.</param>
    public static Problem InvalidHash(string version, bool hasNetworks) => AccessClosed($"{version} is no hash that 'ragagent password' made.",
        "Make one with 'ragagent password' and store its one line; the agent looks again by itself.", hasNetworks);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Access?.Password is not { } source)
        {
            return;
        }
        for (var failures = 0; ;)
        {
            // Who asks from here on hears of the next one: this one may have read already.
            var attempt = Interlocked.Exchange(ref _nextAttempt, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            failures = await TryReadAsync(source, stoppingToken) ? 0 : failures + 1;
            attempt.SetResult();
            await WaitForNextReadAsync(failures, stoppingToken);
        }
    }

    private async Task<bool> TryReadAsync(SecretConfig source, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(ReadTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        var hasNetworks = config.Access is { Networks.Count: > 0 };
        try
        {
            var (hash, version) = await ReadHashAsync(source, linked.Token);
            _hash = hash;   // what is no hash has taken the place of the one before it: that one is not wanted any more
            if (hash is null)
            {
                SetProblem(InvalidHash(version, hasNetworks));
                return false;
            }
            if (version != _version || _problem is not null)
            {
                logger.PasswordHashRead(version);
            }
            _version = version;
            SetProblem(null);
            return true;
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            var cause = WithHashRemedy(ExceptionMapping.ToProblem(exception));
            SetProblem(_hash is null
                ? AccessClosed(LowercaseFirst(cause.What), cause.Remedy, hasNetworks) with { RetryAfter = cause.RetryAfter }
                : new Problem(ProblemCatalog.AccessStale, $"The password's hash can't be read again, so the one that was read before goes on: {LowercaseFirst(cause.What)}", cause.Remedy) { RetryAfter = cause.RetryAfter });
            return false;
        }
    }

    /// <summary>Until somebody asks, or the time for another try has come.</summary>
    private async Task WaitForNextReadAsync(int failures, CancellationToken stopping)
    {
        using var waitCancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var refreshRequested = _refreshRequests.Reader.WaitToReadAsync(waitCancellation.Token).AsTask();
        var delay = Retry.After(failures, Random.Shared.NextDouble());
        var wait = failures == 0 ? Timeout.InfiniteTimeSpan : _problem?.RetryAfter is { } retryAfter && retryAfter > delay ? retryAfter : delay;
        await Task.WhenAny(refreshRequested, Task.Delay(wait, time, waitCancellation.Token));
        await waitCancellation.CancelAsync();
        stopping.ThrowIfCancellationRequested();
        _refreshRequests.Reader.TryRead(out _);
    }

    private void SetProblem(Problem? problem)
    {
        if (problem == _problem)
        {
            return;
        }
        _problem = problem;
        // Of what closes the door, the supervision tells.
        if (problem is not null && BlockingProblem is null)
        {
            logger.PasswordHashProblem(problem);
        }
        Changed?.Invoke();
    }

    /// <summary>What is said of any parameter, for this one: what belongs there is a hash.</summary>
    private static Problem WithHashRemedy(Problem problem) => problem.Remedy.Contains("file://key.txt", StringComparison.Ordinal)
        ? problem with { Remedy = $"Make the hash with 'ragagent password > hash.txt'. {problem.Remedy.Replace("file://key.txt", "file://hash.txt", StringComparison.Ordinal).Replace("correct secrets", "correct access.password", StringComparison.Ordinal)}" }
        : problem;

    private static Problem AccessClosed(string cause, string remedy, bool hasNetworks) =>
        new(ClosedCode, $"The password can't be checked, so no visitor gets in{(hasNetworks ? " but those of access.networks" : "")}: {cause}", remedy);

    private static string LowercaseFirst(string sentence) => sentence.Length > 1 && char.IsLower(sentence[1]) ? char.ToLowerInvariant(sentence[0]) + sentence[1..] : sentence;
}

/// <summary>The app's secrets, with which the password is read again.</summary>
internal sealed class SecretsWithPasswordRefresh(SecretReader secrets, PasswordHashProvider password, TimeProvider time) : ISecrets
{
    // Who asks for an update wants to hear of both; an app whose secrets are there does not wait for visitors' passwords.
    private static readonly TimeSpan PasswordTimeout = TimeSpan.FromSeconds(2);

    public async Task<SecretVersions> ReadAsync(CancellationToken stopping)
    {
        var refresh = password.RefreshAsync();
        var versions = await secrets.ReadAsync(stopping);
        await Task.WhenAny(refresh, Task.Delay(PasswordTimeout, time, stopping));
        return versions;
    }
}
