using System.Globalization;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Containers;

/// <summary>Listens to the engine's events and tells the supervision that something stirred. What it was, an inspection finds out.</summary>
internal sealed class EngineWatcher(AgentConfig config, EngineConnection connection, Supervisor supervisor, StateFeed feed, TimeProvider time, ILogger<EngineWatcher> logger)
    : BackgroundService
{
    private static readonly TimeSpan ReconnectDelay = TimeSpan.FromSeconds(1);
    private const string StopAction = "stop";
    private static readonly string[] WatchedActions = ["start", "die", "oom", "destroy", "pause", "unpause", "rename", StopAction];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // What happens while no stream is open, the engine tells afterwards: an inspection may have looked just before it.
        var since = time.GetUtcNow();
        while (!stoppingToken.IsCancellationRequested)
        {
            await WaitForEngineAsync(stoppingToken);
            try
            {
                await connection.CallAsync("send its events", Timeout.InfiniteTimeSpan, (docker, token) => ListenAsync(docker, since, token), stoppingToken);
            }
            catch (Exception exception) when (exception is ProblemException || (exception is OperationCanceledException && !stoppingToken.IsCancellationRequested))
            {
                // The inspection that follows says what is wrong with the engine, in one voice.
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
        return docker.System.MonitorEventsAsync(new ContainerEventsParameters { Filters = filters, Since = from }, new SynchronousProgress<Message>(OnMessage), stopping);
    }

    /// <summary>Only of a stop is told what it was: an end that somebody asked for looks like any other afterwards.</summary>
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

/// <summary>Unlike <see cref="Progress{T}"/>, calls back at once and in order.</summary>
internal sealed class SynchronousProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
