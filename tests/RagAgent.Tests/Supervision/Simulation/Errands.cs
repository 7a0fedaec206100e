using RagAgent.Supervision;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>
/// Carries out effects on the simulated world: each in stages with time between them, so that the world changes meanwhile;
/// each reports with exactly one event, or with none when the agent crashed.
/// </summary>
internal sealed class Errands(World world)
{
    private static readonly Problem Unreachable = new(ProblemCodes.EngineUnreachable, "No engine.", "");
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
            Effect.EnsureImage pull => Pull(errand, pull),
            Effect.StartContainer start => Start(errand, start),
            Effect.StopContainer stop => Stop(errand, stop),
            Effect.Probe probe => Probe(errand, probe),
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
            .Then(Latency(), () => look = Engine.IsUp ? (Time.Now, Engine.Show()) : null)
            .Then(Latency(), () =>
            {
                if (look is { } seen)
                {
                    world.Rules.Shows(errand.Life, seen.At, seen.Seen);
                    Report(errand, at => new Event.EngineInspected(at, seen.Seen));
                }
                else
                {
                    Report(errand, at => new Event.EngineFailed(at, Unreachable));
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

    private Errand Pull(Errand errand, Effect.EnsureImage pull)
    {
        var digest = pull.Resolution.Image.Digest;
        return errand
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp)
                {
                    Report(errand, at => new Event.ImageFailed(at, Unreachable));
                }
                else if (Engine.Disk.Contains(digest))
                {
                    Report(errand, at => new Event.ImageReady(at, new ImageOnDisk(digest, 0)));
                }
            })
            .Then(Time.Between(0.2, 8), () => world.Agent.Hear(at => new Event.PullProgressed(at, new PullProgress(0.5, 50, 100))))
            .Then(Time.Between(0.2, 8), () =>
            {
                if (!Engine.IsUp || !world.RegistryAnswers || world.PullsFail)
                {
                    Report(errand, at => new Event.ImageFailed(at, Engine.IsUp ? World.OutOfReach : Unreachable));
                }
                else
                {
                    Engine.Disk.Add(digest);
                    Report(errand, at => new Event.ImageReady(at, new ImageOnDisk(digest, 100)));
                }
            });
    }

    private Errand Start(Errand errand, Effect.StartContainer start)
    {
        Box? box = null;
        void Fail(Problem problem) => Report(errand, at => new Event.StartFailed(at, start.Op, problem));
        return errand
            .Then(Latency(), () =>
            {
                if (Refusal(start) is { } problem)
                {
                    Fail(problem);
                    return;
                }
                foreach (var leftover in Engine.Boxes.ToArray())
                {
                    Engine.Remove(leftover);
                }
                box = Engine.Create(start.Release, world.AppOf(start.Release.Image));
            })
            .Then(Latency(), () =>
            {
                if (!Engine.IsUp || Engine.Find(box!.Id) is null || Engine.Alive.Any())
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
                Report(errand, at => new Event.ContainerStarted(at, start.Op, box.Show()));
            });
    }

    private Problem? Refusal(Effect.StartContainer start) =>
        !Engine.IsUp ? Unreachable
        : world.StartsFail || Engine.Alive.Any() ? World.OutOfReach
        : !Engine.Disk.Contains(start.Release.Image.Digest) ? Missing
        : null;

    private Errand Stop(Errand errand, Effect.StopContainer stop)
    {
        void Try(Action<Box> act, bool isLast)
        {
            if (!Engine.IsUp || world.StopsFail)
            {
                Report(errand, at => new Event.StopFailed(at, stop.Op, Engine.IsUp ? World.OutOfReach : Unreachable));
                return;
            }
            if (Engine.Find(stop.Container.Id) is { } box)
            {
                act(box);
            }
            if (isLast)
            {
                Report(errand, at => new Event.ContainerStopped(at, stop.Op));
            }
        }
        return errand
            .Then(Latency(), () => Try(_ => { }, isLast: false))
            .Then(Latency(), () => Try(box => Engine.End(box, 143), isLast: false))
            .Then(Latency(), () => Try(Engine.Remove, isLast: true));
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
                world.Rules.Probes(probe, fault);
                Report(errand, at => new Event.Probed(at, probe.Number, Support.Sample.Found(fault)));
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
        var isNumbered = errand.Effect is Effect.StartContainer or Effect.StopContainer or Effect.Probe;
        if (errand.Life == world.Agent.Life && (isNumbered || !UnderWay.Any(e => e.GetType() == errand.Effect.GetType())))
        {
            world.Agent.Hear(what);
        }
    }
}
