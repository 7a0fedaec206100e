using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>
/// Drives the reducer as the supervisor does, with a clock that is moved and effects that are answered by hand.
/// Beside it stands a small truth (what the engine holds, what the tag means, which secrets there are) that answers are taken from.
/// </summary>
internal sealed class ContainerStory(Policy? policy = null)
{
    public const string Config = "config-1";

    private readonly List<Effect> _pendingEffects = [];
    private readonly List<Effect> _startedEffects = [];
    private int _containerCount;

    public Policy Policy { get; set; } = policy ?? new Policy { ConfigFingerprint = Config, CheckInterval = null };
    public AgentState State { get; private set; } = AgentState.Begin(PersistedState.Empty, seed: 1);

    /// <summary>The state file.</summary>
    public PersistedState Memory { get; private set; } = PersistedState.Empty;

    /// <summary>Nothing can be written to the state file.</summary>
    public bool DiskFails { get; set; }

    /// <summary>How often it was tried to write the state file.</summary>
    public int Written { get; private set; }

    public Moment Now { get; private set; }

    /// <summary>What the engine holds of ours.</summary>
    public List<Container> Containers { get; } = [];
    /// <summary>What is on disk; null: nobody asks.</summary>
    public IReadOnlyList<ImageName>? CachedImages { get; set; }

    public ImageName Tag { get; set; } = Sample.NewImage;
    public string SecretVersion { get; set; } = "1";

    /// <summary>Begun and not answered yet.</summary>
    public IReadOnlyList<Effect> PendingEffects => _pendingEffects;

    /// <summary>Everything that was begun since the story began or <see cref="ForgetStartedEffects"/> was called.</summary>
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
        // The disk is quick: what is to be remembered is, before anything else happens.
        while (_pendingEffects.OfType<Effect.SaveState>().FirstOrDefault() is { } save)
        {
            _pendingEffects.Remove(save);
            Written++;
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

    /// <summary>Time passes, and nothing that is under way is answered. The agent is woken at its own deadlines only.</summary>
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

    /// <summary>Time passes, every probe passes, and the engine, the secrets and the registry answer truly and at once.</summary>
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

    public ContainerStory CompleteInspection() => Complete<Effect.InspectEngine>((_, at) => new Event.EngineInspected(at, CurrentInventory()));
    public ContainerStory FailInspection(Problem? problem = null) => Complete<Effect.InspectEngine>((_, at) => new Event.EngineFailed(at, problem ?? Sample.EngineUnreachable));
    public ContainerStory CompleteSecretsRead() =>
        Complete<Effect.ReadSecrets>((_, at) => new Event.SecretsRead(at, Sample.Secrets(SecretVersion)));
    public ContainerStory FailSecretsRead(Problem? problem = null) =>
        Complete<Effect.ReadSecrets>((_, at) => new Event.SecretsFailed(at, problem ?? Sample.Refused));
    public ContainerStory CompleteResolve() => Complete<Effect.ResolveTag>((_, at) => new Event.TagResolved(at, Sample.ResolutionOf(Tag)));
    public ContainerStory FailResolve(Problem? problem = null) => Complete<Effect.ResolveTag>((_, at) => new Event.TagFailed(at, problem ?? Sample.Refused));
    public ContainerStory FailFetch(Problem? problem = null) => Complete<Effect.FetchImage>((_, at) => new Event.ImageFailed(at, problem ?? Sample.Refused));
    public ContainerStory CompleteFetch(long pulled = 0) =>
        Complete<Effect.FetchImage>((e, at) => new Event.ImageReady(at, new FetchedImage(e.Resolution.Image.Digest, pulled)));
    public ContainerStory FailStart(Problem problem) => Complete<Effect.StartContainer>((e, at) => new Event.StartFailed(at, e.Operation, problem));
    public ContainerStory FailStop(Problem problem) => Complete<Effect.StopContainer>((e, at) => new Event.StopFailed(at, e.Operation, problem));
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

    public ContainerStory FailFallbackFetch(Problem problem) => Complete<Effect.FetchFallback>((_, at) => new Event.FallbackFailed(at, problem));

    /// <summary>EC2's answer to the stop of the instance.</summary>
    public ContainerStory CompleteInstanceStop(Func<Moment, Event> answer) => Complete<Effect.StopInstance>((_, at) => answer(at));

    public ContainerStory CompleteDrain(int left = 0) => Complete<Effect.Drain>((e, at) => new Event.Drained(at, e.Operation, left));

    public ContainerStory CompleteImageCleanup(int removed = 0) => Complete<Effect.CleanUpImages>((_, at) => new Event.CleanupFinished(at, new ImageCleanupResult(removed, removed * 1000)));

    /// <summary>From the start of the agent to an app that serves the tag's image; nothing of ours ran before.</summary>
    public ContainerStory StartServing() => Boot().CompleteInspection().CompleteSecretsRead().CompleteResolve().CompleteFetch().BecomeReady();

    /// <summary>From the start effect to serving.</summary>
    public ContainerStory BecomeReady() => CompleteStart().CompleteInspection().PassProbes();

    public ContainerStory PassProbes() => Policy.HasGate ? PassProbe().PassProbe() : PassProbe();

    /// <summary>The engine says that something stirred, and shows what.</summary>
    public ContainerStory ObserveContainers(params Container[] containers)
    {
        Containers.Clear();
        Containers.AddRange(containers);
        return Handle(at => new Event.EngineChanged(at)).CompleteInspections();
    }

    /// <summary>The agent begins anew with what it has written down; the engine goes on meanwhile.</summary>
    public ContainerStory RestartAgent(bool keepState = true)
    {
        _pendingEffects.Clear();
        State = AgentState.Begin(keepState ? Memory : null, seed: 1);
        Now = Moment.Zero;
        return Boot();
    }

    /// <summary>Somebody pushed another image, and an operator asks for it; what is needed for it is there.</summary>
    public ContainerStory PushAndUpdate(ImageName image)
    {
        Tag = image;
        return Request(RequestKind.Update).CompleteSecretsRead().CompleteResolve().CompleteFetch();
    }

    public ContainerStory Request(RequestKind kind) => Advance(TimeSpan.FromMilliseconds(1)).Handle(at => new Event.OperatorRequested(at, kind));

    /// <summary>From the stop of the old one to the new one that serves.</summary>
    public ContainerStory CompleteSwap() => CompleteStop().CompleteInspections().BecomeReady();

    /// <summary>It has served so long that it counts as good.</summary>
    public ContainerStory PassWatch() => AdvanceCompletingEffects(Policy.Watch + TimeSpan.FromSeconds(1));

    /// <summary>Every inspection that is under way or follows from one is answered.</summary>
    public ContainerStory CompleteInspections()
    {
        while (IsPending<Effect.InspectEngine>())
        {
            CompleteInspection();
        }
        return this;
    }

    /// <summary>Somebody asks for an update, a moment after all that came before.</summary>
    public ContainerStory RequestUpdate() => Request(RequestKind.Update);

    public ContainerStory Crash(int code = 1) => ObserveContainers(CurrentContainer.Exited(code));

    /// <summary>Waits out the back-off and starts again.</summary>
    public ContainerStory RestartAfterBackoff() => WaitOutBackoff().BecomeReady();

    public ContainerStory WaitOutBackoff() => RereadSecrets().Advance(((ContainerState.BackingOff)State.Front).Until - Now).CompleteInspections();

    /// <summary>The same where there may be nothing to wait for: a rollback starts at once.</summary>
    public ContainerStory WaitsOutAnyDelay() => State.Front is ContainerState.BackingOff ? WaitOutBackoff() : this;

    /// <summary>The registry and the secrets answer what they are asked, the image is there.</summary>
    public ContainerStory AnswersWhatIsAsked()
    {
        _ = IsPending<Effect.ReadSecrets>() ? CompleteSecretsRead() : this;
        _ = IsPending<Effect.ResolveTag>() ? CompleteResolve() : this;
        return IsPending<Effect.FetchImage>() ? CompleteFetch() : this;
    }

    /// <summary>A crash is the time to look for newer secrets: they are read while the back-off lasts.</summary>
    public ContainerStory RereadSecrets() => IsPending<Effect.ReadSecrets>() ? CompleteSecretsRead() : this;

    private void WakeAt(Moment next)
    {
        Now = next > Now ? next : Now;
        Handle(at => new Event.Tick(at));
        if (Deadlines.Next(State, Policy) <= Now)
        {
            throw new InvalidOperationException($"The deadline at {Now} is not over after its tick: the loop would spin.");
        }
    }

    private Inventory CurrentInventory() => new([.. Containers], "20.10") { Images = CachedImages?.Select(image => image.ToString()).ToHashSet() };

    private ContainerStory Complete<T>(Func<T, Moment, Event> answer) where T : Effect
    {
        var effect = _pendingEffects.OfType<T>().Last();   // an earlier one is about something that is gone
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
                _ => PassProbe(),
            };
        }
    }
}
