using System.Collections.Concurrent;
using RagAgent.Diagnostics;

namespace RagAgent.Supervision;

/// <summary>Carries out effects, each on its own, so that a ten-minute pull never delays a stop; each reports back with an event.</summary>
internal sealed class EffectRunner(IEngine engine, IImages images, ISecrets secrets, IProber prober, IDoor door, IMemory memory, IInstance instance, Policy policy, AgentClock clock)
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<Task, byte> _handovers = new();

    public void Begin(Effect effect, Action<Func<Moment, Event>> post, CancellationToken stopping)
    {
        var run = RunAsync(effect, post, stopping);
        if (effect is Effect.StartContainer)
        {
            _handovers.TryAdd(run, 0);
            _ = run.ContinueWith(done => _handovers.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        }
    }

    /// <summary>Waits for containers that are being started: cut in between, one would come up without its secrets.</summary>
    public Task FinishAsync(CancellationToken cancellationToken) => Task.WhenAll(_handovers.Keys).WaitAsync(cancellationToken);

    private async Task RunAsync(Effect effect, Action<Func<Moment, Event>> post, CancellationToken stopping)
    {
        await Task.Yield();
        try
        {
            post(await ResultAsync(effect, post, stopping));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The agent stops: nobody waits for the answer.
        }
        catch (Exception e)
        {
            var problem = Problems.From(e);
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
            case Effect.EnsureImage ensure:
                var image = await images.EnsureAsync(ensure.Resolution, ensure.Anew, Throttled(post), stopping);
                return at => new Event.ImageReady(at, image);
            case Effect.StartContainer start:
                var container = await engine.StartAsync(start, CancellationToken.None);
                return at => new Event.ContainerStarted(at, start.Op, container);
            case Effect.StopContainer stop:
                if (stop.IsUsed)
                {
                    await door.FinishAsync(stop.Container, policy.Finish, stopping);
                }
                await engine.StopAsync(stop.Container, stop.Heir, stopping);
                return at => new Event.ContainerStopped(at, stop.Op);
            case Effect.Drain drain:
                var left = await door.DrainAsync(drain.Container, policy.Drain, stopping);
                return at => new Event.Drained(at, drain.Op, left);
            case Effect.EnsureSpare spare:
                await images.EnsureAsync(new Resolution(spare.Image.ToString(), spare.Image, spare.Image.Digest), spare.Anew, _ => { }, stopping);
                return at => new Event.SpareReady(at, spare.Image);
            case Effect.Collect collect:
                var collection = await images.CollectAsync(collect.Keep, stopping);
                return at => new Event.ImagesCollected(at, collection);
            case Effect.Remember remember:
                await memory.WriteAsync(remember.Memory, stopping);
                return at => new Event.Remembered(at, remember.Memory);
            case Effect.Probe probe:
                var result = await prober.ProbeAsync(probe.Kind, probe.Container, stopping);
                return at => new Event.Probed(at, probe.Number, result);
            case Effect.StopInstance:
                var id = await instance.StopAsync(stopping);
                return at => new Event.InstanceStops(at, id);
            default:
                throw new InvalidOperationException($"No one carries out {effect.GetType().Name}.");
        }
    }

    private static Event Failed(Effect effect, Problem problem, Moment at) => effect switch
    {
        Effect.InspectEngine => new Event.EngineFailed(at, problem),
        Effect.ReadSecrets => new Event.SecretsFailed(at, problem),
        Effect.ResolveTag => new Event.TagFailed(at, problem),
        Effect.EnsureImage => new Event.ImageFailed(at, problem),
        Effect.StartContainer start => new Event.StartFailed(at, start.Op, problem),
        Effect.StopContainer stop => new Event.StopFailed(at, stop.Op, problem),
        Effect.Drain drain => new Event.Drained(at, drain.Op, 0),
        Effect.EnsureSpare => new Event.SpareFailed(at, problem),
        Effect.Collect => new Event.CollectFailed(at, problem),
        Effect.Remember => new Event.RememberFailed(at, problem),
        Effect.Probe probe => new Event.Probed(at, probe.Number, new ProbeResult.NotAsked(problem.What)),
        Effect.StopInstance => new Event.InstanceStopFailed(at, problem),
        _ => throw new InvalidOperationException($"No one reports the failure of {effect.GetType().Name}."),
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
