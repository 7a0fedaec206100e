using System.Collections.Concurrent;
using Docker.DotNet.Models;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using ContainerStatus = RagAgent.Supervision.State.ContainerStatus;

namespace RagAgent.Containers.AppLogs;

/// <summary>Writes the app's log next to the agent's own: one follower for each container that the engine has.</summary>
/// <remarks>
/// It learns about containers from inspections, and follows a stopped container until it is removed. A container's output may contain
/// its secrets, so nothing is written until the vault has them; the engine keeps the output until then.
/// See docs/decisions/0005-the-apps-log.md.
/// </remarks>
internal sealed class AppLogCollector(
    AgentConfig config,
    EngineLogClient logs,
    LogPositionStore positions,
    SecretVault vault,
    UncaughtExceptionLog exceptions,
    OutputSink output,
    TimeProvider time,
    ILogger<AppLogCollector> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan SecretsWaitNoticeDelay = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, FollowerEntry> _followers = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Writes everything that was read, so that the next agent continues after it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_followers.Values.Select(f => f.Completion)).WaitAsync(cancellationToken);
    }

    /// <summary>Follows a container that was just created, from its first line.</summary>
    public void FollowFromStart(string id, string? secretsFingerprint) =>
        Follow(new ContainerIdentity(id, config.Container.Name), secretsFingerprint, isNew: true);

    /// <summary>
    /// Follows a container that the engine described. Its log carries the app's name, even while it has a candidate's name.
    /// </summary>
    public void Observe(ContainerInspectResponse inspected)
    {
        var container = new ContainerIdentity(inspected.ID, config.Container.Name);
        var follower = Follow(container, Labels.ReadSecretsFingerprint(inspected), isNew: false);
        if (Labels.ParseStatus(inspected.State) != ContainerStatus.Created && inspected.State?.StartedAt is { } run)
        {
            follower.ReportRun(run, inspected.State.Running || inspected.State.Restarting);
        }
    }

    /// <summary>
    /// Waits for the last lines of a container that ended, so that they are not removed with it and come before the report of its end.
    /// </summary>
    public Task FlushAsync(string id, TimeSpan timeout, CancellationToken stopping) =>
        _followers.TryGetValue(id, out var entry) && AreSecretsAvailable(entry.SecretsFingerprint)
            ? entry.Follower.FlushAsync(timeout, stopping)
            : Task.CompletedTask;

    /// <summary>The containers that this agent follows or an earlier one followed.</summary>
    /// <remarks>Read it before listing the engine's containers: otherwise a new container looks like a removed one.</remarks>
    public IReadOnlyList<string> KnownContainerIds() => [.. _followers.Keys.Union(positions.ContainerIds())];

    /// <summary>Stops following containers that the engine no longer has.</summary>
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
            var position = saved switch
            {
                { } known => known,
                null when isNew => LogPosition.Start,
                null => LogPosition.After(LogTimestamp.FromDateTimeOffset(time.GetUtcNow())),
            };
            var writer = new LogWriter(container, position, positionFile, positions, vault, exceptions, output, time, logger);
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
                exceptions.Forget(writer.Container.Id);
                positions.Delete(writer.Container.Id);
            }
        }
    }

    private bool AreSecretsAvailable(string? secretsFingerprint) =>
        config.Secrets.Count == 0 || (secretsFingerprint is not null && vault.Find(secretsFingerprint) is not null);

    private async Task WaitForSecretsAsync(ContainerIdentity container, string? secretsFingerprint, CancellationToken stopping)
    {
        if (AreSecretsAvailable(secretsFingerprint))
        {
            return;
        }
        // Without the label, nobody knows which secrets the container got.
        var available = secretsFingerprint is null
            ? Task.Delay(Timeout.InfiniteTimeSpan, time, stopping)
            : vault.WaitAsync(secretsFingerprint, stopping);
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
