using System.Collections.Concurrent;
using Docker.DotNet.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Logging;
using RagAgent.Secrets;
using RagAgent.Supervision;

namespace RagAgent.Containers;

/// <summary>The app's own log, written beside the agent's: one follower for each container that the engine holds.</summary>
/// <remarks>
/// It learns of containers where the engine is asked about them anyway, and follows a container that ended until it is removed.
/// What a container writes may hold the secrets that it was given, so nothing of it is written before the vault holds them; the
/// engine keeps it meanwhile. See docs/decisions/0005-the-apps-log.md.
/// </remarks>
internal sealed class AppLog(
    AgentConfig config, EngineLogs logs, LogCursors cursors, SecretVault vault, OutputSink output, TimeProvider time, ILogger<AppLog> logger) : IHostedService, IDisposable
{
    private static readonly TimeSpan BeforeSayingThatItWaits = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, Followed> _followed = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What was read is written; the next agent goes on behind it.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await Task.WhenAll(_followed.Values.Select(f => f.Work)).WaitAsync(cancellationToken);
    }

    /// <summary>A container that was just created: its log is written from the first line on.</summary>
    public void Begin(string id, string? secrets) => Follow(new ContainerIdentity(id, config.Container.Name), secrets, isNew: true);

    /// <summary>A container as the engine described it. One that was found under a candidate's name is the app all the same.</summary>
    public void See(ContainerInspectResponse seen)
    {
        var follower = Follow(new ContainerIdentity(seen.ID, config.Container.Name), Labels.SecretsOf(seen), isNew: false);
        if (Labels.Status(seen.State) != Supervision.ContainerStatus.Created && seen.State?.StartedAt is { } run)
        {
            follower.See(run, seen.State.Running || seen.State.Restarting);
        }
    }

    /// <summary>The container has ended: waits for its last words, so that they stand before what is said about it and are not removed with it.</summary>
    public Task DrainAsync(string id, TimeSpan atMost, CancellationToken stopping) =>
        _followed.TryGetValue(id, out var followed) && AreHeld(followed.Secrets) ? followed.Follower.DrainAsync(atMost, stopping) : Task.CompletedTask;

    /// <summary>The containers that are followed, or were by an agent before: asked before the engine is, so that none is taken for gone that is only new.</summary>
    public IReadOnlyList<string> Known() => [.. _followed.Keys.Union(cursors.Ids())];

    /// <summary>The engine has these no more.</summary>
    public void Forget(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            if (_followed.TryGetValue(id, out var followed))
            {
                followed.Follower.Leave();
            }
            else
            {
                cursors.Delete(id);
            }
        }
    }

    public void Dispose() => _stopping.Dispose();

    private LogFollower Follow(ContainerIdentity container, string? secrets, bool isNew)
    {
        lock (_lock)
        {
            if (_followed.TryGetValue(container.Id, out var there))
            {
                return there.Follower;
            }
            var cursor = cursors.Open(container.Id);
            var known = cursor?.Read();
            if (!isNew && known is null && cursor is not null)
            {
                logger.AppLogWithoutPlace(container);
            }
            var place = known ?? (isNew ? LogPlace.Beginning : LogPlace.After(LogTime.Of(time.GetUtcNow())));
            var writer = new LogWriter(container, place, cursor, cursors, vault, output, time, logger);
            writer.Keep();
            var follower = new LogFollower(writer, logs, time, logger);
            _followed[container.Id] = new Followed(follower, RunAsync(writer, follower, secrets), secrets);
            return follower;
        }
    }

    private async Task RunAsync(LogWriter writer, LogFollower follower, string? secrets)
    {
        await Task.Yield();
        using (writer)
        using (follower)
        {
            await follower.RunAsync(token => SecretsHeldAsync(writer.Container, secrets, token), _stopping.Token);
        }
        if (!_stopping.IsCancellationRequested)
        {
            lock (_lock)
            {
                _followed.TryRemove(writer.Container.Id, out _);
                cursors.Delete(writer.Container.Id);
            }
        }
    }

    private bool AreHeld(string? secrets) => config.Secrets.Count == 0 || (secrets is not null && vault.Find(secrets) is not null);

    private async Task SecretsHeldAsync(ContainerIdentity container, string? secrets, CancellationToken stopping)
    {
        if (AreHeld(secrets))
        {
            return;
        }
        // Without the label it can't be known what it was given.
        var held = secrets is null ? Task.Delay(Timeout.InfiniteTimeSpan, time, stopping) : vault.WaitAsync(secrets, stopping);
        try
        {
            await held.WaitAsync(BeforeSayingThatItWaits, time, stopping);
        }
        catch (TimeoutException)
        {
            logger.AppLogWaits(container);
            await held;
        }
    }

    private sealed record Followed(LogFollower Follower, Task Work, string? Secrets);
}
