using System.Collections.Concurrent;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Carries out effects concurrently, so that a ten-minute pull never delays a stop. Each ends in an event.</summary>
/// <remarks>
/// Every method of the dependencies throws <see cref="ProblemException"/> for a failure that an operator can understand, and
/// <see cref="OperationCanceledException"/> only when its token was cancelled.
/// </remarks>
internal sealed class EffectRunner(
    IEngine engine,
    IImages images,
    ISecrets secrets,
    IProber prober,
    IPortInspector ports,
    IConnectionDrain connections,
    IStateStore store,
    IInstanceControl instance,
    Policy policy,
    AgentClock clock)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<Task, byte> _starts = new();

    public void Start(Effect effect, Action<Func<Moment, Event>> post, CancellationToken stopping)
    {
        var run = RunAsync(effect, post, stopping);
        if (effect is Effect.StartContainer)
        {
            _starts.TryAdd(run, 0);
            _ = run.ContinueWith(
                done => _starts.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>Waits for containers that are being started. Interrupted, a container would run without its secrets.</summary>
    public Task FinishAsync(CancellationToken cancellationToken) => Task.WhenAll(_starts.Keys).WaitAsync(cancellationToken);

    private async Task RunAsync(Effect effect, Action<Func<Moment, Event>> post, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            post(await ResultAsync(effect, post, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The agent stops: nobody waits for the result.
        }
        catch (Exception exception)
        {
            var problem = ExceptionMapping.ToProblem(exception);
            post(at => Failed(effect, problem, at));
        }
    }

    private async Task<Func<Moment, Event>> ResultAsync(Effect effect, Action<Func<Moment, Event>> post, CancellationToken stopping)
    {
        switch (effect)
        {
            case Effect.InspectEngine:
                var inventory = await engine.InspectAsync(stopping);
                return at => new Event.EngineInspected(at, inventory);
            case Effect.ReadSecrets:
                var versions = await secrets.ReadAsync(stopping);
                return at => new Event.SecretsRead(at, versions);
            case Effect.ResolveTag:
                var resolution = await images.ResolveAsync(stopping);
                return at => new Event.TagResolved(at, resolution);
            case Effect.FetchImage fetch:
                var image = await images.FetchAsync(fetch.Resolution, fetch.Replace, Throttled(post), stopping);
                return at => new Event.ImageReady(at, image);
            case Effect.StartContainer start:
                var container = await engine.StartAsync(start, CancellationToken.None);
                return at => new Event.ContainerStarted(at, start.Operation, container);
            case Effect.StopContainer stop:
                if (stop.FinishRequests)
                {
                    await connections.FinishAsync(stop.Container, policy.FinishTimeout, stopping);
                }
                await connections.MoveSessionsAsync(stop.Container, stopping);
                await engine.StopAsync(stop.Container, stop.Successor, stopping);
                return at => new Event.ContainerStopped(at, stop.Operation);
            case Effect.Drain drain:
                var left = await connections.DrainAsync(drain.Container, policy.DrainTimeout, stopping);
                return at => new Event.Drained(at, drain.Operation, left);
            case Effect.FetchFallback fallback:
                var byDigest = new Resolution(fallback.Image.ToString(), fallback.Image, fallback.Image.Digest);
                await images.FetchAsync(byDigest, fallback.Replace, _ => { }, stopping);
                return at => new Event.FallbackReady(at, fallback.Image);
            case Effect.CleanUpImages cleanup:
                var cleaned = await images.CleanUpAsync(cleanup.Keep, stopping);
                return at => new Event.CleanupFinished(at, cleaned);
            case Effect.SaveState save:
                await store.SaveAsync(save.State, stopping);
                return at => new Event.StateSaved(at, save.State);
            case Effect.Probe probe:
                var result = await prober.ProbeAsync(probe.Kind, probe.Container, probe.SessionLimit, stopping);
                return at => new Event.Probed(at, probe.Operation, result);
            case Effect.InspectPorts inspect:
                var found = await ports.InspectPortsAsync(inspect.Container, stopping);
                return at => new Event.PortsInspected(at, inspect.Operation, found);
            case Effect.StopInstance:
                var id = await instance.StopAsync(stopping);
                return at => new Event.InstanceStopAccepted(at, id);
            default:
                throw new InvalidOperationException($"Nothing carries out {effect.GetType().Name}.");
        }
    }

    private static Event Failed(Effect effect, Problem problem, Moment at) => effect switch
    {
        Effect.InspectEngine => new Event.EngineFailed(at, problem),
        Effect.ReadSecrets => new Event.SecretsFailed(at, problem),
        Effect.ResolveTag => new Event.TagFailed(at, problem),
        Effect.FetchImage => new Event.ImageFailed(at, problem),
        Effect.StartContainer start => new Event.StartFailed(at, start.Operation, problem),
        Effect.StopContainer stop => new Event.StopFailed(at, stop.Operation, problem),
        Effect.Drain drain => new Event.Drained(at, drain.Operation, 0),
        Effect.FetchFallback => new Event.FallbackFailed(at, problem),
        Effect.CleanUpImages => new Event.CleanupFailed(at, problem),
        Effect.SaveState => new Event.SaveFailed(at, problem),
        Effect.Probe probe => new Event.Probed(at, probe.Operation, new ProbeResult.NotSent(problem.What)),
        Effect.InspectPorts inspect => new Event.PortsInspected(at, inspect.Operation, null),
        Effect.StopInstance => new Event.InstanceStopFailed(at, problem),
        _ => throw new InvalidOperationException($"Nothing reports the failure of {effect.GetType().Name}."),
    };

    private Action<PullProgress> Throttled(Action<Func<Moment, Event>> post)
    {
        var nextAt = Moment.Zero;
        return progress =>
        {
            var now = clock.Now;
            if (now >= nextAt)
            {
                nextAt = now + ProgressInterval;
                post(at => new Event.PullProgressed(at, progress));
            }
        };
    }
}
