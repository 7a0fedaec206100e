using System.Globalization;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Containers;

/// <summary>Listens to the engine's events and posts that something changed. An inspection finds out what it was.</summary>
internal sealed class EngineWatcher(
    AgentConfig config,
    EngineConnection connection,
    Supervisor supervisor,
    StateFeed feed,
    TimeProvider time,
    ILogger<EngineWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);
    private const string StopAction = "stop";
    private static readonly string[] WatchedActions = ["start", "die", "oom", "destroy", "pause", "unpause", "rename", StopAction];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The engine replays what happened while no stream was open: the last inspection may have run just before it.
        var since = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitForEngineAsync(stoppingToken);
            try
            {
                await connection.CallAsync(
                    "send its events", Timeout.InfiniteTimeSpan, (docker, token) => ListenAsync(docker, since, token), stoppingToken);
            }
            catch (ProblemException)
            {
                // The next inspection reports what is wrong with the engine.
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // The stream broke, not the agent.
            }
            since = time.GetUtcNow();
            logger.EventStreamEnded();
            supervisor.Post(at => new Event.EngineDisconnected(at));
            await Task.Delay(ReconnectDelay, time, stoppingToken);
        }
    }

    private async Task WaitForEngineAsync(CancellationToken stopping)
    {
        var (revision, state) = feed.Read();
        while (!state.EngineIsReachable)
        {
            (revision, state) = await feed.WaitAsync(revision, stopping);
        }
    }

    private Task ListenAsync(Docker.DotNet.DockerClient docker, DateTimeOffset since, CancellationToken stopping)
    {
        var filters = new Dictionary<string, IDictionary<string, bool>>
        {
            ["type"] = new Dictionary<string, bool> { ["container"] = true },
            ["label"] = new Dictionary<string, bool> { [$"{Labels.Name}={config.Container.Name}"] = true },
            ["event"] = WatchedActions.ToDictionary(name => name, _ => true),
        };
        var from = since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return docker.System.MonitorEventsAsync(
            new ContainerEventsParameters { Filters = filters, Since = from }, new SynchronousProgress<Message>(OnMessage), stopping);
    }

    /// <summary>Only a stop is posted as what it was: a later inspection can't tell a requested stop from an exit.</summary>
    private void OnMessage(Message message)
    {
        if (message.Action == StopAction && message.Actor?.ID is { } id)
        {
            supervisor.Post(at => new Event.ExternalStopRequested(at, id));
        }
        else
        {
            supervisor.Post(at => new Event.EngineChanged(at));
        }
    }
}
