using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>
/// Drives the reducer as the supervisor does, with a clock that the test moves and effects that the test answers.
/// The answers come from a small model of the world: the engine's containers, the tag, the secrets, the state file.
/// </summary>
internal sealed class ContainerStory(Policy? policy = null)
{
    public const string Config = "config-1";

    private readonly List<Effect> _pendingEffects = [];
    private readonly List<Effect> _startedEffects = [];
    private int _containerCount;

    public Policy Policy { get; set; } = policy ?? new Policy { ConfigFingerprint = Config, CheckInterval = null };
    public AgentState State { get; private set; } = AgentState.Begin(PersistedState.Empty, seed: 1);

    /// <summary>What the state file holds.</summary>
    public PersistedState Memory { get; private set; } = PersistedState.Empty;

    /// <summary>Every write of the state file fails.</summary>
    public bool DiskFails { get; set; }

    /// <summary>A write of the state file takes until <see cref="CompleteSaves"/> is called.</summary>
    public bool DiskIsSlow { get; set; }

    /// <summary>How many writes of the state file were tried.</summary>
    public int SaveCount { get; private set; }

    public Moment Now { get; private set; }

    /// <summary>The engine's containers of ours.</summary>
    public List<Container> Containers { get; } = [];

    /// <summary>The images on disk; null: the engine does not list them.</summary>
    public IReadOnlyList<ImageName>? CachedImages { get; set; }

    public ImageName Tag { get; set; } = Sample.NewImage;
    public string SecretVersion { get; set; } = "1";

    /// <summary>Effects that began and are not answered yet.</summary>
    public IReadOnlyList<Effect> PendingEffects => _pendingEffects;

    /// <summary>
    /// Every effect since the story began or <see cref="ForgetStartedEffects"/> was called, except writes of the state file.
    /// </summary>
    public IReadOnlyList<Effect> StartedEffects => _startedEffects;

    public Container CurrentContainer => State.Front.Current ?? throw new InvalidOperationException($"No container in {State.Front}.");

    public bool IsPending<T>() where T : Effect => _pendingEffects.OfType<T>().Any();

    public T SinglePending<T>() where T : Effect => _pendingEffects.OfType<T>().Single();

    public int CountStarted<T>() where T : Effect => _startedEffects.OfType<T>().Count();

    public ContainerStory ForgetStartedEffects()
    {
        _startedEffects.Clear();
        return this;
    }

    public ContainerStory Handle(Func<Moment, Event> createEvent)
    {
        var step = Reducer.Next(State, createEvent(Now), Policy);
        State = step.State;
        _pendingEffects.AddRange(step.Effects);
        _startedEffects.AddRange(step.Effects.Where(e => e is not Effect.SaveState));
        return DiskIsSlow ? this : CompleteSaves();
    }

    /// <summary>Answers the writes of the state file. A fast disk does so before anything else happens.</summary>
    public ContainerStory CompleteSaves()
    {
        while (_pendingEffects.OfType<Effect.SaveState>().FirstOrDefault() is { } save)
        {
            _pendingEffects.Remove(save);
            SaveCount++;
            if (DiskFails)
            {
                Handle(at => new Event.SaveFailed(at, Sample.Refused));
                continue;
            }
            Memory = save.State;
            Handle(at => new Event.StateSaved(at, save.State));
        }
        return this;
    }

    public ContainerStory Boot() => Handle(at => new Event.Tick(at));

    /// <summary>Time passes and no effect is answered. The agent wakes at its own deadlines only.</summary>
    public ContainerStory Advance(TimeSpan span)
    {
        var end = Now + span;
        while (Deadlines.Next(State, Policy) is { } next && next <= end)
        {
            WakeAt(next);
        }
        Now = end;
        return this;
    }

    /// <summary>Time passes, every probe passes, and every other effect succeeds at once.</summary>
    public ContainerStory AdvanceCompletingEffects(TimeSpan span)
    {
        var end = Now + span;
        CompleteAllPending();
        while (Deadlines.Next(State, Policy) is { } next && next <= end)
        {
            WakeAt(next);
            CompleteAllPending();
        }
        Now = end;
        return this;
    }

    public ContainerStory CompleteInspection() =>
        Complete<Effect.InspectEngine>((_, at) => new Event.EngineInspected(at, CurrentInventory()));
    public ContainerStory FailInspection(Problem? problem = null) =>
        Complete<Effect.InspectEngine>((_, at) => new Event.EngineFailed(at, problem ?? Sample.EngineUnreachable));
    public ContainerStory CompleteSecretsRead() =>
        Complete<Effect.ReadSecrets>((_, at) => new Event.SecretsRead(at, Sample.Secrets(SecretVersion)));
    public ContainerStory FailSecretsRead(Problem? problem = null) =>
        Complete<Effect.ReadSecrets>((_, at) => new Event.SecretsFailed(at, problem ?? Sample.Refused));
    public ContainerStory CompleteResolve() => Complete<Effect.ResolveTag>((_, at) => new Event.TagResolved(at, Sample.ResolutionOf(Tag)));
    public ContainerStory FailResolve(Problem? problem = null) =>
        Complete<Effect.ResolveTag>((_, at) => new Event.TagFailed(at, problem ?? Sample.Refused));
    public ContainerStory FailFetch(Problem? problem = null) =>
        Complete<Effect.FetchImage>((_, at) => new Event.ImageFailed(at, problem ?? Sample.Refused));
    public ContainerStory CompleteFetch(long pulled = 0) =>
        Complete<Effect.FetchImage>((e, at) => new Event.ImageReady(at, new FetchedImage(e.Resolution.Image.Digest, pulled)));
    public ContainerStory FailStart(Problem problem) =>
        Complete<Effect.StartContainer>((e, at) => new Event.StartFailed(at, e.Operation, problem));
    public ContainerStory FailStop(Problem problem) =>
        Complete<Effect.StopContainer>((e, at) => new Event.StopFailed(at, e.Operation, problem));
    public ContainerStory CompleteProbe(ProbeResult result) => Complete<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, result));
    public ContainerStory PassProbe() => Complete<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, Sample.ProbeOutcome(null)));
    public ContainerStory FailProbe(string fault = "it answers 500") =>
        Complete<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, Sample.ProbeOutcome(fault)));

    public ContainerStory CompleteStart() => Complete<Effect.StartContainer>((start, at) =>
    {
        Containers.RemoveAll(c => c.Id != start.Neighbor?.Id);
        Containers.Add(Sample.RunningContainer($"container-{++_containerCount}", start.Release, $"2026-01-01T00:00:{_containerCount:00}Z") with
        {
            Name = start.Neighbor is null ? "ragstream" : "ragstream-next",
            LastGood = start.LastGood,
            Avoided = start.Avoided,
        });
        return new Event.ContainerStarted(at, start.Operation, Containers[^1]);
    });

    public ContainerStory CompleteStop() => Complete<Effect.StopContainer>((stop, at) =>
    {
        Containers.RemoveAll(c => c.Id == stop.Container.Id);
        return new Event.ContainerStopped(at, stop.Operation);
    });

    public ContainerStory CompleteFallbackFetch() => Complete<Effect.FetchFallback>((e, at) => new Event.FallbackReady(at, e.Image));

    public ContainerStory FailFallbackFetch(Problem problem) =>
        Complete<Effect.FetchFallback>((_, at) => new Event.FallbackFailed(at, problem));

    public ContainerStory CompletePortInspection(ContainerPorts? ports) =>
        Complete<Effect.InspectPorts>((e, at) => new Event.PortsInspected(at, e.Operation, ports));

    /// <summary>Answers the stop of the instance as EC2 would.</summary>
    public ContainerStory CompleteInstanceStop(Func<Moment, Event> answer) => Complete<Effect.StopInstance>((_, at) => answer(at));

    public ContainerStory CompleteDrain(int left = 0) => Complete<Effect.Drain>((e, at) => new Event.Drained(at, e.Operation, left));

    public ContainerStory CompleteImageCleanup(int removed = 0) =>
        Complete<Effect.CleanUpImages>((_, at) => new Event.CleanupFinished(at, new ImageCleanupResult(removed, removed * 1000)));

    /// <summary>From the start of the agent to a container that serves the tag's image. No container of ours ran before.</summary>
    public ContainerStory StartServing() =>
        Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().BecomeReady();

    /// <summary>From the start of the container to serving.</summary>
    public ContainerStory BecomeReady() => CompleteStart().CompleteInspection().PassProbes();

    public ContainerStory PassProbes() => Policy.HasGate ? PassProbe().PassProbe() : PassProbe();

    /// <summary>The engine reports a change, and the inspection shows these containers.</summary>
    public ContainerStory ObserveContainers(params Container[] containers)
    {
        Containers.Clear();
        Containers.AddRange(containers);
        return Handle(at => new Event.EngineChanged(at)).CompleteInspections();
    }

    /// <summary>A new agent starts with the state file of the old one. The containers keep running.</summary>
    public ContainerStory RestartAgent(bool keepState = true, TimeSpan? waitedFor = null)
    {
        _pendingEffects.Clear();
        // The store turns times of one agent into times of the next.
        Memory = Memory with { UpdateWaitsSince = Moment.Zero - waitedFor };
        State = AgentState.Begin(keepState ? Memory : null, seed: 1);
        Now = Moment.Zero;
        return Boot();
    }

    /// <summary>Someone pushes another image and an operator requests an update. The image is fetched.</summary>
    public ContainerStory PushAndUpdate(ImageName image)
    {
        Tag = image;
        return Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().CompleteFetch();
    }

    public ContainerStory Request(RequestKind kind) =>
        Advance(TimeSpan.FromMilliseconds(1)).Handle(at => new Event.OperatorRequested(at, kind));

    /// <summary>From the stop of the old container to the new one that serves.</summary>
    public ContainerStory CompleteSwap() => CompleteStop().CompleteInspections().BecomeReady();

    /// <summary>The container serves until its image counts as good.</summary>
    public ContainerStory PassWatch() => AdvanceCompletingEffects(Policy.Watch + TimeSpan.FromSeconds(1));

    /// <summary>Answers the pending inspection and every one that follows from it.</summary>
    public ContainerStory CompleteInspections()
    {
        while (IsPending<Effect.InspectEngine>())
        {
            CompleteInspection();
        }
        return this;
    }

    /// <summary>An operator requests an update, a moment after everything before.</summary>
    public ContainerStory RequestUpdate() => Request(RequestKind.Update);

    public ContainerStory Crash(int code = 1) => ObserveContainers(CurrentContainer.Exited(code));

    /// <summary>The backoff ends and the container starts again.</summary>
    public ContainerStory RestartAfterBackoff() => WaitOutBackoff().BecomeReady();

    public ContainerStory WaitOutBackoff() =>
        RereadSecrets().Advance(((ContainerState.BackingOff)State.Front).Until - Now).CompleteInspections();

    /// <summary>As <see cref="WaitOutBackoff"/>, but there may be no backoff: a rollback starts at once.</summary>
    public ContainerStory WaitOutAnyBackoff() => State.Front is ContainerState.BackingOff ? WaitOutBackoff() : this;

    /// <summary>Answers what is pending of secrets, tag and image.</summary>
    public ContainerStory CompleteAcquisition()
    {
        _ = IsPending<Effect.ReadSecrets>() ? CompleteSecretsRead() : this;
        _ = IsPending<Effect.ResolveTag>() ? CompleteResolve() : this;
        return IsPending<Effect.FetchImage>() ? CompleteFetch() : this;
    }

    /// <summary>After a crash the secrets are read again during the backoff.</summary>
    public ContainerStory RereadSecrets() => IsPending<Effect.ReadSecrets>() ? CompleteSecretsRead() : this;

    private void WakeAt(Moment next)
    {
        Now = next > Now ? next : Now;
        Handle(at => new Event.Tick(at));
        if (Deadlines.Next(State, Policy) <= Now)
        {
            throw new InvalidOperationException($"The deadline at {Now} is still due after its tick: the loop would spin.");
        }
    }

    private Inventory CurrentInventory() =>
        new([.. Containers], "20.10") { Images = CachedImages?.Select(image => image.ToString()).ToHashSet() };

    private ContainerStory Complete<T>(Func<T, Moment, Event> answer) where T : Effect
    {
        var effect = _pendingEffects.OfType<T>().Last();   // an earlier one belongs to an operation that is over
        _pendingEffects.Remove(effect);
        return Handle(at => answer(effect, at));
    }

    private void CompleteAllPending()
    {
        while (_pendingEffects.Count > 0)
        {
            _ = _pendingEffects[0] switch
            {
                Effect.InspectEngine => CompleteInspection(),
                Effect.ReadSecrets => CompleteSecretsRead(),
                Effect.ResolveTag => CompleteResolve(),
                Effect.FetchImage => CompleteFetch(),
                Effect.StartContainer => CompleteStart(),
                Effect.StopContainer => CompleteStop(),
                Effect.Drain => CompleteDrain(),
                Effect.FetchFallback => CompleteFallbackFetch(),
                Effect.CleanUpImages => CompleteImageCleanup(),
                Effect.InspectPorts => CompletePortInspection(null),
                _ => PassProbe(),
            };
        }
    }
}
