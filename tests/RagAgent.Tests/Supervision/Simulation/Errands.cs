using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>
/// Carries out effects on the simulated world: each in stages with time between them, so that the world changes meanwhile;
/// each reports with exactly one event, or with none when the agent crashed.
/// </summary>
internal sealed class Errands(World world)
{
    private static readonly Problem Unreachable = new(ProblemCodes.EngineUnreachable, "No engine.", "");
    private static readonly Problem Silent = new(ProblemCodes.EngineSilent, "A slow engine.", "");
    private static readonly Problem Full = new(ProblemCodes.DiskFull, "The disk is full.", "");
    private static readonly Problem Corrupt = new(ProblemCodes.ImageCorrupt, "A layer is broken.", "");
    private static readonly Problem Missing = new(ProblemCodes.ImageMissing, "No image.", "");

    private readonly List<Errand> _underWay = [];

    private Timeline Time => world.Time;
    private SimulatedEngine Engine => world.Engine;

    /// <summary>Of this life of the agent.</summary>
    public IEnumerable<Effect> UnderWay => _underWay.Select(e => e.Effect);

    public void Begin(Effect effect)
    {
        var errand = new Errand(Time, effect, world.Agent.Life);
        world.Rules.Begins(effect, _underWay.Select(e => e.Effect));
        _underWay.Add(errand);
        (effect switch
        {
            Effect.InspectEngine => Inspect(errand),
            Effect.ReadSecrets => ReadSecrets(errand),
            Effect.ResolveTag => ResolveTag(errand),
            Effect.FetchImage pull => Pull(errand, pull),
            Effect.StartContainer start => Start(errand, start),
            Effect.StopContainer stop => Stop(errand, stop),
            Effect.Drain drain => errand.Then(Time.Between(0, 30), () => Report(errand, at => new Event.Drained(at, drain.Operation, 0))),
            Effect.FetchFallback spare => PullSpare(errand, spare.Image),
            Effect.CleanUpImages collect => Collect(errand, collect),
            Effect.SaveState remember => Remember(errand, remember.State),
            Effect.Probe probe => Probe(errand, probe),
            Effect.StopInstance => StopInstance(errand),
            _ => throw new InvalidOperationException($"The world knows no {effect.GetType().Name}."),
        }).Go();
    }

    public void Cut()
    {
        foreach (var errand in _underWay.ToArray())
        {
            errand.Cut();
        }
        _underWay.Clear();
        foreach (var box in Engine.Alive.Where(b => !b.HasSecrets))
        {
            Engine.EndSoon(box);
        }
    }

    private Errand Inspect(Errand errand)
    {
        (TimeSpan At, Inventory Seen)? look = null;
        return errand
            .Then(Latency(), () => look = Engine.IsUp && !(world.IsSlow && Time.Chance(0.3)) ? (Time.Now, Engine.Show()) : null)
            .Then(Latency(), () =>
            {
                if (look is { } seen)
                {
                    world.Rules.Shows(errand.Life, seen.At, seen.Seen);
                    Report(errand, at => new Event.EngineInspected(at, seen.Seen));
                }
                else
                {
                    Report(errand, at => new Event.EngineFailed(at, Engine.IsUp ? Silent : Unreachable));
                }
            });
    }

    private Errand ReadSecrets(Errand errand)
    {
        SecretVersions? read = null;
        return errand
            .Then(Latency(), () => read = world.SecretsAnswer ? new SecretVersions($"v{world.SecretVersion}", [], []) : null)
            .Then(Latency(), () => Report(errand, at => read is { } versions
                ? new Event.SecretsRead(at, versions)
                : new Event.SecretsFailed(at, World.OutOfReach)));
    }

    private Errand ResolveTag(Errand errand)
    {
        Resolution? found = null;
        return errand
            .Then(Latency(), () => found = world.RegistryAnswers
                ? new Resolution("app:latest", world.Tag.Name, world.Tag.Name.Digest)
                : null)
            .Then(Latency(), () => Report(errand, at => found is { } resolution
                ? new Event.TagResolved(at, resolution)
                : new Event.TagFailed(at, World.OutOfReach)));
    }

    private Errand Pull(Errand errand, Effect.FetchImage pull)
    {
        var image = pull.Resolution.Image;
        var digest = image.Digest;
        return errand
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp)
                {
                    Report(errand, at => new Event.ImageFailed(at, Unreachable));
                }
                else if (pull.Replace && !world.RegistryAnswers)
                {
                    Report(errand, at => new Event.ImageFailed(at, World.OutOfReach));   // what is broken is not removed before it can be had again
                }
                else if (Engine.Disk.Contains(image) && !pull.Replace)
                {
                    Report(errand, at => new Event.ImageReady(at, new FetchedImage(digest, 0)));
                }
            })
            .Then(Time.Between(0.2, 8), () => world.Agent.Hear(at => new Event.PullProgressed(at, new PullProgress(0.5, 50, 100))))
            .Then(Time.Between(0.2, 8), () =>
            {
                if (Engine.IsUp && world.DiskIsFull)
                {
                    Report(errand, at => new Event.ImageFailed(at, Full));
                }
                else if (!Engine.IsUp || !world.RegistryAnswers || world.PullsFail)
                {
                    Report(errand, at => new Event.ImageFailed(at, Engine.IsUp ? World.OutOfReach : Unreachable));
                }
                else
                {
                    Engine.Disk.Add(image);
                    Engine.Broken.Remove(image);
                    Report(errand, at => new Event.ImageReady(at, new FetchedImage(digest, 100)));
                }
            });
    }

    private Errand PullSpare(Errand errand, ImageName image) => errand
        .Then(Latency(), () => { })
        .Then(Time.Between(0.2, 8), () =>
        {
            if (Engine.IsUp && world.RegistryAnswers && !world.PullsFail && !world.DiskIsFull)
            {
                Engine.Disk.Add(image);
                Engine.Broken.Remove(image);
                Report(errand, at => new Event.FallbackReady(at, image));
            }
            else
            {
                Report(errand, at => new Event.FallbackFailed(at, Engine.IsUp ? World.OutOfReach : Unreachable));
            }
        });

    private Errand Collect(Errand errand, Effect.CleanUpImages collect) => errand.Then(Latency(), () => { }).Then(Latency(), () =>
    {
        if (!Engine.IsUp || world.StopsFail)
        {
            Report(errand, at => new Event.CleanupFailed(at, Engine.IsUp ? World.OutOfReach : Unreachable));
            return;
        }
        var old = Engine.Disk.Where(image => !collect.Keep.Contains(image) && Engine.Boxes.All(b => b.Release.Image != image)).ToList();
        var removed = old.Count;
        Engine.Disk.ExceptWith(old);
        world.Rules.Removes(old);
        world.DiskIsFreed(removed);
        Report(errand, at => new Event.CleanupFinished(at, new ImageCleanupResult(removed, removed)));
    });

    private Errand Remember(Errand errand, PersistedState memory) => errand
        .Then(Latency(), () => { })
        .Then(Latency(), () =>
        {
            if (world.StateIsUnwritable)
            {
                Report(errand, at => new Event.SaveFailed(at, World.OutOfReach));
                return;
            }
            world.StateFile = memory;
            Report(errand, at => new Event.StateSaved(at, memory));
        });

    private Errand StopInstance(Errand errand)
    {
        var accepted = false;
        return errand
            .Then(Latency(), () =>
            {
                accepted = !world.StopOfInstanceIsDenied;
                if (accepted)
                {
                    world.StopInstance();
                }
            })
            .Then(Latency(), () => Report(errand, at => accepted ? new Event.InstanceStopAccepted(at, "i-1") : new Event.InstanceStopFailed(at, World.OutOfReach)));
    }

    private Errand Start(Errand errand, Effect.StartContainer start)
    {
        Box? box = null;
        void Fail(Problem problem) => Report(errand, at => new Event.StartFailed(at, start.Operation, problem));
        return errand
            .Then(Latency(), () =>
            {
                if (Refusal(start) is { } problem)
                {
                    Fail(problem);
                    return;
                }
                foreach (var leftover in Engine.Boxes.Where(b => !b.IsAlive).ToArray())
                {
                    Engine.Remove(leftover);
                }
                box = Engine.Create(start.Neighbor is null ? "ragstream" : "ragstream-next", start.Release, world.AppOf(start.Release.Image), start.LastGood, start.Avoided);
            })
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp || Engine.Find(box!.Id) is null || Engine.Alive.Any(b => b.Id != start.Neighbor?.Id))
                {
                    Fail(Engine.IsUp ? World.OutOfReach : Unreachable);
                    return;
                }
                Engine.Start(box, byHuman: false);
            })
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp || Engine.Find(box!.Id) is null || world.StartsFailHalfway)
                {
                    Engine.EndSoon(box!);
                    Fail(Engine.IsUp ? World.OutOfReach : Unreachable);
                    return;
                }
                box.HasSecrets = true;
                Report(errand, at => new Event.ContainerStarted(at, start.Operation, box.Show()));
            });
    }

    private Problem? Refusal(Effect.StartContainer start) =>
        !Engine.IsUp ? Unreachable
        : world.StartsFail || Engine.Alive.Any(b => b.Id != start.Neighbor?.Id) ? World.OutOfReach
        : !Engine.Disk.Contains(start.Release.Image) ? Missing
        : Engine.Broken.Contains(start.Release.Image) ? Corrupt
        : null;

    private Errand Stop(Errand errand, Effect.StopContainer stop)
    {
        void Try(Action<Box> act, bool isLast)
        {
            if (!Engine.IsUp || world.StopsFail)
            {
                Report(errand, at => new Event.StopFailed(at, stop.Operation, Engine.IsUp ? World.OutOfReach : Unreachable));
                return;
            }
            if (Engine.Find(stop.Container.Id) is { } box)
            {
                act(box);
            }
            if (isLast)
            {
                Report(errand, at => new Event.ContainerStopped(at, stop.Operation));
            }
        }
        return errand
            // What the engine was asked for it goes on with, whoever waits for it: to the end of the app's own time.
            .Then(Latency(), () => Try(GoesOn, isLast: false))
            .Then(Latency(), () => Try(Engine.Stop, isLast: false))
            .Then(Latency(), () => Try(Engine.Remove, isLast: true));
    }

    private void GoesOn(Box box)
    {
        var (run, due) = (box.Run, Time.Now + Time.Between(0, 20));
        box.StopsUntil = due > box.StopsUntil ? due : box.StopsUntil;
        Time.In(due - Time.Now, () => StopsLate(box, run));
    }

    private void StopsLate(Box box, int run)
    {
        if (Engine.IsUp && box.Run == run && Engine.Find(box.Id) is not null)
        {
            Engine.Stop(box);
        }
    }

    private Errand Probe(Errand errand, Effect.Probe probe)
    {
        string? fault = null;
        return errand
            .Then(Latency(), () => fault = Engine.Find(probe.Container.Id) is { } box
                ? box.FaultAt(Time.Now, probe.Kind)
                : "connection refused")
            .Then(Latency(), () =>
            {
                ProbeResult result = world.ProberFails ? new ProbeResult.NotSent("no file is left")
                    : world.IsUnderPressure && Time.Chance(0.9) ? new ProbeResult.Failed(fault ?? "no answer in time", UnderPressure: true)
                    : Support.Sample.Found(fault);
                world.Rules.Probes(probe, result);
                Report(errand, at => new Event.Probed(at, probe.Operation, result));
            });
    }

    private TimeSpan Latency() => world.IsSlow ? Time.Between(0.5, World.SlowestStage.TotalSeconds)
        : Time.Chance(0.03) ? Time.Between(0.1, 4)
        : Time.Between(0.001, 0.1);

    private void Report(Errand errand, Func<Moment, Event> what)
    {
        errand.End();
        if (!_underWay.Remove(errand))
        {
            return;
        }
        if (Time.Chance(0.05))
        {
            Time.In(Time.Between(0, 20), () => Repeat(errand, what));
        }
        world.Agent.Hear(what);
    }

    /// <summary>
    /// News that carries a number may come twice at any time. An answer to a question carries none, for the runner
    /// reports once by construction; it comes twice here only while the same question is not open again.
    /// </summary>
    private void Repeat(Errand errand, Func<Moment, Event> what)
    {
        var isNumbered = errand.Effect is Effect.StartContainer or Effect.StopContainer or Effect.Drain or Effect.Probe;
        if (errand.Life == world.Agent.Life && (isNumbered || !UnderWay.Any(e => e.GetType() == errand.Effect.GetType())))
        {
            world.Agent.Hear(what);
        }
    }
}
