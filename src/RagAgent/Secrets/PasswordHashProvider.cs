using System.Threading.Channels;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Reporting;

namespace RagAgent.Secrets;

/// <summary>Holds the hash of the password that protects the front door.</summary>
/// <remarks>It is read at start and whenever the app's secrets are. If the source can't be reached, the last hash stays valid.</remarks>
internal sealed class PasswordHashProvider(AgentConfig config, SecretReader reader, TimeProvider time, ILogger<PasswordHashProvider> logger)
    : BackgroundService, IPasswordStatus
{
    /// <summary>The kind of the problem while no password can be checked.</summary>
    public static readonly ProblemKind ClosedCode = ProblemCatalog.AccessClosed;

    private static readonly Backoff Retry = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
    private static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(30);

    private readonly Channel<bool> _refreshRequests =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    private volatile Reading _last = new(Hash: null, Problem: null);
    private string? _version;
    private TaskCompletionSource _nextAttempt = NewAttempt();

    /// <summary>Null if no password is configured, or if its hash can't be read (yet): then no password gives access.</summary>
    public PasswordHash? Hash => _last.Hash;

    /// <summary>Why the hash can't be read, or not refreshed; null if there is no problem.</summary>
    public Problem? Problem => _last.Problem;

    IEnumerable<ReportedProblem> IProblemSource.Problems => Problem is { } problem ? [new(problem)] : [];

    /// <summary>Why nobody gets access; null if someone may.</summary>
    public Problem? BlockingProblem =>
        _last is { Hash: null, Problem: var problem } && config.Access is { Networks.Count: 0 } ? problem : null;

    /// <summary>Raised after <see cref="Problem"/> has changed. Handlers must not block.</summary>
    public event Action? Changed;

    /// <summary>Requests a new read.</summary>
    /// <returns>Completes after the attempt.</returns>
    public Task RefreshAsync()
    {
        var attempt = _nextAttempt.Task;
        _refreshRequests.Writer.TryWrite(true);
        return config.Access?.Password is null ? Task.CompletedTask : attempt;
    }

    /// <summary>Reads the hash now, without keeping it.</summary>
    /// <param name="source">Where the hash is stored.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <returns>A null hash if the text there is not a hash.</returns>
    /// <exception cref="ProblemException">The source can't be read. The problem says why.</exception>
    public async Task<(PasswordHash? Hash, string Version)> ReadHashAsync(SecretConfig source, CancellationToken stopping)
    {
        var (text, version) = await reader.ReadAsync(source, SecretPurpose.Password, stopping);
        return (PasswordHash.Parse(text.Reveal()), version);
    }

    /// <summary>The problem if the stored text is not a hash.</summary>
    /// <param name="version">Names the version and the source, such as "version 2 of parameter /password".</param>
    /// <param name="hasNetworks">Whether clients in some networks need no password.</param>
    public static Problem InvalidHash(string version, bool hasNetworks) => AccessClosed(
        $"{version} is not a hash made by 'ragagent password'.",
        $"Make one with 'ragagent password' and store the line that it prints. {ExceptionMapping.RetriesAutomatically}",
        hasNetworks);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (config.Access?.Password is not { } source)
        {
            return;
        }
        for (var failures = 0; ;)
        {
            // Requests from here on wait for the next attempt: this one may already have read.
            var attempt = Interlocked.Exchange(ref _nextAttempt, NewAttempt());
            failures = await TryReadAsync(source, stoppingToken) ? 0 : failures + 1;
            attempt.SetResult();
            await WaitForNextReadAsync(failures, stoppingToken);
        }
    }

    private static TaskCompletionSource NewAttempt() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<bool> TryReadAsync(SecretConfig source, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(ReadTimeout, time, stopping);
        var hasNetworks = config.Access is { Networks.Count: > 0 };
        try
        {
            var (hash, version) = await ReadHashAsync(source, timeout.Token);
            if (hash is null)
            {
                // The old password must no longer work.
                Publish(new Reading(Hash: null, InvalidHash(version, hasNetworks)));
                return false;
            }
            if (version != _version || Problem is not null)
            {
                logger.PasswordHashRead(version);
            }
            _version = version;
            Publish(new Reading(hash, Problem: null));
            return true;
        }
        catch (Exception exception) when (!stopping.IsCancellationRequested)
        {
            var cause = ExceptionMapping.ToProblem(exception);
            var problem = Hash is null
                ? AccessClosed(LowercaseFirst(cause.What), cause.Remedy, hasNetworks)
                : new Problem(ProblemCatalog.AccessStale,
                    $"The password's hash can't be refreshed, so the previous one stays valid: {LowercaseFirst(cause.What)}", cause.Remedy);
            Publish(_last with { Problem = problem with { RetryAfter = cause.RetryAfter } });
            return false;
        }
    }

    /// <summary>Waits for a refresh request or, after a failure, for the next attempt.</summary>
    private async Task WaitForNextReadAsync(int failures, CancellationToken stopping)
    {
        using var waitCancellation = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var refreshRequested = _refreshRequests.Reader.WaitToReadAsync(waitCancellation.Token).AsTask();
        var delay = Retry.After(failures, Random.Shared.NextDouble());
        var wait = failures switch
        {
            0 => Timeout.InfiniteTimeSpan,
            _ when Problem?.RetryAfter is { } retryAfter && retryAfter > delay => retryAfter,
            _ => delay,
        };
        await Task.WhenAny(refreshRequested, Task.Delay(wait, time, waitCancellation.Token));
        await waitCancellation.CancelAsync();
        stopping.ThrowIfCancellationRequested();
        _refreshRequests.Reader.TryRead(out _);
    }

    private void Publish(Reading reading)
    {
        var problem = reading.Problem;
        var isSameProblem = problem == Problem;
        _last = reading;
        if (isSameProblem)
        {
            return;
        }
        // The supervisor logs a problem that blocks everyone.
        if (problem is not null && BlockingProblem is null)
        {
            logger.PasswordHashProblem(problem);
        }
        Changed?.Invoke();
    }

    private static Problem AccessClosed(string cause, string remedy, bool hasNetworks) => new(
        ClosedCode,
        $"Passwords can't be checked, so {(hasNetworks ? "only clients in access.networks get access" : "nobody gets access")}: {cause}",
        remedy);

    private static string LowercaseFirst(string sentence) =>
        sentence.Length > 1 && char.IsLower(sentence[1]) ? char.ToLowerInvariant(sentence[0]) + sentence[1..] : sentence;

    /// <summary>What the last read came to. One object, so that nobody sees the new hash beside the old problem.</summary>
    private sealed record Reading(PasswordHash? Hash, Problem? Problem);
}
