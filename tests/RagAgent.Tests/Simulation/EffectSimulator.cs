using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

/// <summary>
/// Carries out effects on the simulated world: each in stages with time between them, so that the world changes meanwhile;
/// each reports with exactly one event, or with none when the agent crashed.
/// </summary>
internal sealed class EffectSimulator(World world)
{
    private static readonly Problem Unreachable = new(ProblemCatalog.EngineUnreachable, "No engine.", "");
    private static readonly Problem Silent = new(ProblemCatalog.EngineSilent, "A slow engine.", "");
    private static readonly Problem Full = new(ProblemCatalog.DiskFull, "The disk is full.", "");
    private static readonly Problem Corrupt = new(ProblemCatalog.ImageCorrupt, "A layer is broken.", "");
    private static readonly Problem Missing = new(ProblemCatalog.ImageMissing, "No image.", "");

    private readonly List<PendingEffect> _pending = [];

    private VirtualTime Time => world.Time;
    private SimulatedEngine Engine => world.Engine;

    /// <summary>Of this life of the agent.</summary>
    public IEnumerable<Effect> Pending => _pending.Select(pending => pending.Effect);

    public void Run(Effect effect)
    {
        var pending = new PendingEffect(Time, effect, world.Agent.LifeNumber);
        world.Invariants.CheckEffect(effect, _pending.Select(pending => pending.Effect));
        _pending.Add(pending);
        (effect switch
        {
            Effect.InspectEngine => Inspect(pending),
            Effect.ReadSecrets => ReadSecrets(pending),
            Effect.ResolveTag => ResolveTag(pending),
            Effect.FetchImage pull => Pull(pending, pull),
            Effect.StartContainer start => Start(pending, start),
            Effect.StopContainer stop => Stop(pending, stop),
            Effect.Drain drain => pending.Then(Time.Between(0, 30), () => Report(pending, at => new Event.Drained(at, drain.Operation, 0))),
            Effect.FetchFallback spare => PullFallback(pending, spare.Image),
            Effect.CleanUpImages collect => CleanUpImages(pending, collect),
            Effect.SaveState remember => SaveState(pending, remember.State),
            Effect.Probe probe => Probe(pending, probe),
            Effect.InspectPorts inspect => InspectPorts(pending, inspect),
            Effect.StopInstance => StopInstance(pending),
            _ => throw new InvalidOperationException($"The world knows no {effect.GetType().Name}."),
        }).RunNext();
    }

    public void AbandonAll()
    {
        foreach (var pending in _pending.ToArray())
        {
            pending.Abandon();
        }
        _pending.Clear();
        foreach (var container in Engine.RunningContainers.Where(container => !container.HasSecrets))
        {
            Engine.ExitSoon(container);
        }
    }

    private PendingEffect Inspect(PendingEffect pending)
    {
        (TimeSpan At, Inventory Seen)? inspection = null;
        return pending
            .Then(Latency(), () =>
                inspection = Engine.IsUp && !(world.IsSlow && Time.Chance(0.3)) ? (Time.Now, Engine.TakeInventory()) : null)
            .Then(Latency(), () =>
            {
                if (inspection is { } seen)
                {
                    world.Invariants.InventoryShown(pending.AgentLife, seen.At, seen.Seen);
                    Report(pending, at => new Event.EngineInspected(at, seen.Seen));
                }
                else
                {
                    Report(pending, at => new Event.EngineFailed(at, Engine.IsUp ? Silent : Unreachable));
                }
            });
    }

    private PendingEffect ReadSecrets(PendingEffect pending)
    {
        SecretVersions? read = null;
        return pending
            .Then(Latency(), () => read = world.SecretsAreUp ? new SecretVersions($"v{world.SecretVersion}", [], []) : null)
            .Then(Latency(), () => Report(pending, at => read is { } versions
                ? new Event.SecretsRead(at, versions)
                : new Event.SecretsFailed(at, World.Unavailable)));
    }

    private PendingEffect ResolveTag(PendingEffect pending)
    {
        Resolution? found = null;
        return pending
            .Then(Latency(), () => found = world.RegistryIsUp
                ? new Resolution("app:latest", world.Tag.Name, world.Tag.Name.Digest)
                : null)
            .Then(Latency(), () => Report(pending, at => found is { } resolution
                ? new Event.TagResolved(at, resolution)
                : new Event.TagFailed(at, World.Unavailable)));
    }

    private PendingEffect Pull(PendingEffect pending, Effect.FetchImage pull)
    {
        var image = pull.Resolution.Image;
        var digest = image.Digest;
        return pending
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp)
                {
                    Report(pending, at => new Event.ImageFailed(at, Unreachable));
                }
                else if (pull.Replace && !world.RegistryIsUp)
                {
                    // A corrupt image is not removed before the registry can deliver it again.
                    Report(pending, at => new Event.ImageFailed(at, World.Unavailable));
                }
                else if (Engine.ImagesOnDisk.Contains(image) && !pull.Replace)
                {
                    Report(pending, at => new Event.ImageReady(at, new FetchedImage(digest, 0)));
                }
            })
            .Then(Time.Between(0.2, 8), () => world.Agent.Handle(at => new Event.PullProgressed(at, new PullProgress(0.5, 50, 100))))
            .Then(Time.Between(0.2, 8), () =>
            {
                if (Engine.IsUp && world.DiskIsFull)
                {
                    Report(pending, at => new Event.ImageFailed(at, Full));
                }
                else if (!Engine.IsUp || !world.RegistryIsUp || world.PullsFail)
                {
                    Report(pending, at => new Event.ImageFailed(at, Engine.IsUp ? World.Unavailable : Unreachable));
                }
                else
                {
                    Engine.ImagesOnDisk.Add(image);
                    Engine.CorruptImages.Remove(image);
                    Report(pending, at => new Event.ImageReady(at, new FetchedImage(digest, 100)));
                }
            });
    }

    private PendingEffect PullFallback(PendingEffect pending, ImageName image) => pending
        .Then(Latency(), () => { })
        .Then(Time.Between(0.2, 8), () =>
        {
            if (Engine.IsUp && world.RegistryIsUp && !world.PullsFail && !world.DiskIsFull)
            {
                Engine.ImagesOnDisk.Add(image);
                Engine.CorruptImages.Remove(image);
                Report(pending, at => new Event.FallbackReady(at, image));
            }
            else
            {
                Report(pending, at => new Event.FallbackFailed(at, Engine.IsUp ? World.Unavailable : Unreachable));
            }
        });

    private PendingEffect CleanUpImages(PendingEffect pending, Effect.CleanUpImages collect) => pending
        .Then(Latency(), () => { })
        .Then(Latency(), () =>
        {
            if (!Engine.IsUp || world.StopsFail)
            {
                Report(pending, at => new Event.CleanupFailed(at, Engine.IsUp ? World.Unavailable : Unreachable));
                return;
            }
            var unused = Engine.ImagesOnDisk
                .Where(image => !collect.Keep.Contains(image) && Engine.Containers.All(container => container.Release.Image != image))
                .ToList();
            var removed = unused.Count;
            Engine.ImagesOnDisk.ExceptWith(unused);
            world.Invariants.ImagesRemoved(unused);
            world.FreeDisk(removed);
            Report(pending, at => new Event.CleanupFinished(at, new ImageCleanupResult(removed, removed)));
        });

    private PendingEffect SaveState(PendingEffect pending, PersistedState memory) => pending
        .Then(Latency(), () => { })
        .Then(Latency(), () =>
        {
            if (world.StateIsUnwritable)
            {
                Report(pending, at => new Event.SaveFailed(at, World.Unavailable));
                return;
            }
            world.StateFile = memory;
            Report(pending, at => new Event.StateSaved(at, memory));
        });

    private PendingEffect StopInstance(PendingEffect pending)
    {
        var accepted = false;
        return pending
            .Then(Latency(), () =>
            {
                accepted = !world.InstanceStopIsDenied;
                if (accepted)
                {
                    world.StopInstance();
                }
            })
            .Then(Latency(), () => Report(pending, at => accepted ? new Event.InstanceStopAccepted(at, "i-1") : new Event.InstanceStopFailed(at, World.Unavailable)));
    }

    private PendingEffect Start(PendingEffect pending, Effect.StartContainer start)
    {
        SimulatedContainer? container = null;
        void Fail(Problem problem) => Report(pending, at => new Event.StartFailed(at, start.Operation, problem));
        return pending
            .Then(Latency(), () =>
            {
                if (StartProblem(start) is { } problem)
                {
                    Fail(problem);
                    return;
                }
                foreach (var leftover in Engine.Containers.Where(container => !container.IsAlive).ToArray())
                {
                    Engine.Remove(leftover);
                }
                container = Engine.Create(start.Neighbor is null ? "ragstream" : "ragstream-next", start.Release, world.AppOf(start.Release.Image), start.LastGood, start.Avoided);
            })
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp || Engine.Find(container!.Id) is null ||
                    Engine.RunningContainers.Any(other => other.Id != start.Neighbor?.Id))
                {
                    Fail(Engine.IsUp ? World.Unavailable : Unreachable);
                    return;
                }
                Engine.Start(container, byHuman: false);
            })
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp || Engine.Find(container!.Id) is null || world.StartsFailHalfway)
                {
                    Engine.ExitSoon(container!);
                    Fail(Engine.IsUp ? World.Unavailable : Unreachable);
                    return;
                }
                container.HasSecrets = true;
                Report(pending, at => new Event.ContainerStarted(at, start.Operation, container.ToContainer()));
            });
    }

    private Problem? StartProblem(Effect.StartContainer start) =>
        !Engine.IsUp ? Unreachable
        : world.StartsFail || Engine.RunningContainers.Any(other => other.Id != start.Neighbor?.Id) ? World.Unavailable
        : !Engine.ImagesOnDisk.Contains(start.Release.Image) ? Missing
        : Engine.CorruptImages.Contains(start.Release.Image) ? Corrupt
        : null;

    private PendingEffect Stop(PendingEffect pending, Effect.StopContainer stop)
    {
        void Try(Action<SimulatedContainer> act, bool isLast)
        {
            if (!Engine.IsUp || world.StopsFail)
            {
                Report(pending, at => new Event.StopFailed(at, stop.Operation, Engine.IsUp ? World.Unavailable : Unreachable));
                return;
            }
            if (Engine.Find(stop.Container.Id) is { } container)
            {
                act(container);
            }
            if (isLast)
            {
                Report(pending, at => new Event.ContainerStopped(at, stop.Operation));
            }
        }
        return pending
            // What the engine was asked for it goes on with, whoever waits for it: to the end of the app's own time.
            .Then(Latency(), () => Try(StopEventually, isLast: false))
            .Then(Latency(), () => Try(Engine.Stop, isLast: false))
            .Then(Latency(), () => Try(Engine.Remove, isLast: true));
    }

    private void StopEventually(SimulatedContainer container)
    {
        var (run, dueAt) = (container.Run, Time.Now + Time.Between(0, 20));
        container.LateStopsUntil = dueAt > container.LateStopsUntil ? dueAt : container.LateStopsUntil;
        Time.Schedule(dueAt - Time.Now, () => StopUnlessRestarted(container, run));
    }

    private void StopUnlessRestarted(SimulatedContainer container, int run)
    {
        if (Engine.IsUp && container.Run == run && Engine.Find(container.Id) is not null)
        {
            Engine.Stop(container);
        }
    }

    private PendingEffect Probe(PendingEffect pending, Effect.Probe probe)
    {
        string? fault = null;
        ProbeResult.SessionFailed? sessionFailure = null;
        return pending
            .Then(Latency(), () =>
            {
                var container = Engine.Find(probe.Container.Id);
                fault = container is null ? "connection refused" : container.ProbeFaultAt(Time.Now, probe.Kind);
                if (fault is null && container is not null && probe.SessionLimit is not null)
                {
                    sessionFailure = container.SessionFailure ?? (world.PagesFail ? World.PageOutage : null);
                    if (container.App.Behavior == AppBehavior.DiesInSession)
                    {
                        var run = container.Run;
                        Time.Schedule(Time.Between(0, 3), () => Engine.ExitRun(container, run, 3));
                    }
                }
            })
            .Then(probe.SessionLimit is null ? Latency() : Time.Between(0.1, 20), () =>
            {
                var result = world.ProberFails ? new ProbeResult.NotSent("no file is left")
                    : world.IsUnderPressure && Time.Chance(0.9) ? new ProbeResult.Failed(fault ?? "no answer in time", UnderPressure: true)
                    : sessionFailure is not null ? sessionFailure
                    : Support.Sample.ProbeOutcome(fault);
                world.Invariants.ProbeReported(probe, result);
                Report(pending, at => new Event.Probed(at, probe.Operation, result));
            });
    }

    private PendingEffect InspectPorts(PendingEffect pending, Effect.InspectPorts inspect) => pending
        .Then(Latency(), () => { })
        .Then(Latency(), () => Report(pending, at => new Event.PortsInspected(at, inspect.Operation, !Engine.IsUp || Time.Chance(0.2)
            ? null
            : new ContainerPorts(8501, Time.Chance(0.5) ? [] : [new ListeningPort(8080, Time.Chance(0.5))], []))));

    private TimeSpan Latency() => world.IsSlow ? Time.Between(0.5, World.SlowestStageDuration.TotalSeconds)
        : Time.Chance(0.03) ? Time.Between(0.1, 4)
        : Time.Between(0.001, 0.1);

    private void Report(PendingEffect pending, Func<Moment, Event> createEvent)
    {
        pending.Finish();
        if (!_pending.Remove(pending))
        {
            return;
        }
        if (Time.Chance(0.05))
        {
            Time.Schedule(Time.Between(0, 20), () => Repeat(pending, createEvent));
        }
        world.Agent.Handle(createEvent);
    }

    /// <summary>
    /// News that carries a number may come twice at any time. An answer to a question carries none, for the runner
    /// reports once by construction; it comes twice here only while the same question is not open again.
    /// </summary>
    private void Repeat(PendingEffect pending, Func<Moment, Event> createEvent)
    {
        var isNumbered = pending.Effect is Effect.StartContainer or Effect.StopContainer or Effect.Drain or Effect.Probe or
            Effect.InspectPorts;
        if (pending.AgentLife == world.Agent.LifeNumber && (isNumbered || !Pending.Any(e => e.GetType() == pending.Effect.GetType())))
        {
            world.Agent.Handle(createEvent);
        }
    }
}
