using System.Collections.Concurrent;
using Docker.DotNet.Models;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;

namespace RagAgent.Containers.AppLogs;

/// <summary>The app's own log, written beside the agent's: one follower for each container that the engine holds.</summary>
/// <remarks>
/// It learns of containers where the engine is asked about them anyway, and follows a container that ended until it is removed.
/// What a container writes may hold the secrets that it was given, so nothing of it is written before the vault holds them; the
/// engine keeps it meanwhile. See docs/decisions/0005-the-apps-log.md.
/// </remarks>
internal sealed class AppLogCollector(
    AgentConfig config, EngineLogClient logs, LogPositionStore positions, SecretVault vault, OutputSink output, TimeProvider time, ILogger<AppLogCollector> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan SecretsWaitNoticeDelay = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, FollowerEntry> _followers = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What was read is written; the next agent goes on behind it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_followers.Values.Select(f => f.Completion)).WaitAsync(cancellationToken);
    }

    /// <summary>A container that was just created: its log is written from the first line on.</summary>
    public void FollowFromStart(string id, string? secretsFingerprint) => Follow(new ContainerIdentity(id, config.Container.Name), secretsFingerprint, isNew: true);

    /// <summary>A container as the engine described it. One that was found under a candidate's name is the app all the same.</summary>
    public void Observe(ContainerInspectResponse inspected)
    {
        var follower = Follow(new ContainerIdentity(inspected.ID, config.Container.Name), Labels.ReadSecretsFingerprint(inspected), isNew: false);
        if (Labels.ParseStatus(inspected.State) != RagAgent.Supervision.State.ContainerStatus.Created && inspected.State?.StartedAt is { } run)
        {
            follower.ReportRun(run, inspected.State.Running || inspected.State.Restarting);
        }
    }

    /// <summary>The container has ended: waits for its last words, so that they stand before what is said about it and are not removed with it.</summary>
    public Task FlushAsync(string id, TimeSpan timeout, CancellationToken stopping) =>
        _followers.TryGetValue(id, out var entry) && AreSecretsAvailable(entry.SecretsFingerprint) ? entry.Follower.FlushAsync(timeout, stopping) : Task.CompletedTask;

    /// <summary>The containers that are followed, or were by an agent before: asked before the engine is, so that none is taken for gone that is only new.</summary>
    public IReadOnlyList<string> KnownContainerIds() => [.. _followers.Keys.Union(positions.ContainerIds())];

    /// <summary>The engine has these no more.</summary>
    public void Forget(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            if (_followers.TryGetValue(id, out var entry))
            {
                entry.Follower.ReportRemoved();
            }
            else
            {
                positions.Delete(id);
            }
        }
    }

    public void Dispose() => _stopping.Dispose();

    private LogFollower Follow(ContainerIdentity container, string? secretsFingerprint, bool isNew)
    {
        lock (_lock)
        {
            if (_followers.TryGetValue(container.Id, out var existing))
            {
                return existing.Follower;
            }
            var positionFile = positions.Open(container.Id);
            var saved = positionFile?.Read();
            if (!isNew && saved is null && positionFile is not null)
            {
                logger.AppLogPositionUnknown(container);
            }
            var position = saved ?? (isNew ? LogPosition.Start : LogPosition.After(LogTimestamp.FromDateTimeOffset(time.GetUtcNow())));
            var writer = new LogWriter(container, position, positionFile, positions, vault, output, time, logger);
            writer.SavePosition();
            var follower = new LogFollower(writer, logs, time, logger);
            _followers[container.Id] = new FollowerEntry(follower, RunAsync(writer, follower, secretsFingerprint), secretsFingerprint);
            return follower;
        }
    }

    private async Task RunAsync(LogWriter writer, LogFollower follower, string? secretsFingerprint)
    {
        await Task.Yield();
        using (writer)
        using (follower)
        {
            await follower.RunAsync(token => WaitForSecretsAsync(writer.Container, secretsFingerprint, token), _stopping.Token);
        }
        if (!_stopping.IsCancellationRequested)
        {
            lock (_lock)
            {
                _followers.TryRemove(writer.Container.Id, out _);
                positions.Delete(writer.Container.Id);
            }
        }
    }

    private bool AreSecretsAvailable(string? secretsFingerprint) => config.Secrets.Count == 0 || (secretsFingerprint is not null && vault.Find(secretsFingerprint) is not null);

    private async Task WaitForSecretsAsync(ContainerIdentity container, string? secretsFingerprint, CancellationToken stopping)
    {
        if (AreSecretsAvailable(secretsFingerprint))
        {
            return;
        }
        // Without the label it can't be known what it was given.
        var available = secretsFingerprint is null ? Task.Delay(Timeout.InfiniteTimeSpan, time, stopping) : vault.WaitAsync(secretsFingerprint, stopping);
        try
        {
            await available.WaitAsync(SecretsWaitNoticeDelay, time, stopping);
        }
        catch (TimeoutException)
        {
            logger.AppLogWaitingForSecrets(container);
            await available;
        }
    }

    private sealed record FollowerEntry(LogFollower Follower, Task Completion, string? SecretsFingerprint);
}
