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

    private readonly List<Effect> _pending = [];
    private readonly List<Effect> _begun = [];
    private int _containers;

    public Policy Policy { get; set; } = policy ?? new Policy { ConfigFingerprint = Config, CheckInterval = null };
    public AgentState State { get; private set; } = AgentState.Begin(PersistedState.Empty, seed: 1);

    /// <summary>The state file.</summary>
    public PersistedState Memory { get; private set; } = PersistedState.Empty;
    public Moment Now { get; private set; }

    /// <summary>What the engine holds of ours.</summary>
    public List<Container> Engine { get; } = [];
    /// <summary>What is on disk; null: nobody asks.</summary>
    public IReadOnlyList<ImageName>? Images { get; set; }

    public ImageName Tag { get; set; } = Sample.New;
    public string SecretVersion { get; set; } = "1";

    /// <summary>Begun and not answered yet.</summary>
    public IReadOnlyList<Effect> Pending => _pending;

    /// <summary>Everything that was begun since the story began or <see cref="Forget"/> was called.</summary>
    public IReadOnlyList<Effect> Begun => _begun;

    public Container Current => State.Front.Current ?? throw new InvalidOperationException($"No container in {State.Front}.");

    public bool Has<T>() where T : Effect => _pending.OfType<T>().Any();

    public T PendingOne<T>() where T : Effect => _pending.OfType<T>().Single();

    public int CountBegun<T>() where T : Effect => _begun.OfType<T>().Count();

    public ContainerStory Forget()
    {
        _begun.Clear();
        return this;
    }

    public ContainerStory Hears(Func<Moment, Event> what)
    {
        var step = Reducer.Next(State, what(Now), Policy);
        State = step.State;
        _pending.AddRange(step.Effects);
        _begun.AddRange(step.Effects.Where(e => e is not Effect.SaveState));
        // The disk is quick: what is to be remembered is, before anything else happens.
        while (_pending.OfType<Effect.SaveState>().FirstOrDefault() is { } note)
        {
            _pending.Remove(note);
            Memory = note.State;
            Hears(at => new Event.StateSaved(at, note.State));
        }
        return this;
    }

    public ContainerStory Boots() => Hears(at => new Event.Tick(at));

    /// <summary>Time passes, and nothing that is under way is answered. The agent is woken at its own deadlines only.</summary>
    public ContainerStory Passes(TimeSpan span)
    {
        var end = Now + span;
        while (Deadlines.Next(State, Policy) is { } next && next <= end)
        {
            WakesAt(next);
        }
        Now = end;
        return this;
    }

    /// <summary>Time passes, every probe passes, and the engine, the secrets and the registry answer truly and at once.</summary>
    public ContainerStory PassesQuietly(TimeSpan span)
    {
        var end = Now + span;
        AnswerQuietly();
        while (Deadlines.Next(State, Policy) is { } next && next <= end)
        {
            WakesAt(next);
            AnswerQuietly();
        }
        Now = end;
        return this;
    }

    public ContainerStory EngineAnswers() => Answer<Effect.InspectEngine>((_, at) => new Event.EngineInspected(at, Shown()));
    public ContainerStory EngineFails(Problem? problem = null) => Answer<Effect.InspectEngine>((_, at) => new Event.EngineFailed(at, problem ?? Sample.Unreachable));
    public ContainerStory SecretsAnswer() =>
        Answer<Effect.ReadSecrets>((_, at) => new Event.SecretsRead(at, Sample.Secrets(SecretVersion)));
    public ContainerStory SecretsFail() => Answer<Effect.ReadSecrets>((_, at) => new Event.SecretsFailed(at, Sample.Refused));
    public ContainerStory TagAnswers() => Answer<Effect.ResolveTag>((_, at) => new Event.TagResolved(at, Sample.Tagged(Tag)));
    public ContainerStory TagFails() => Answer<Effect.ResolveTag>((_, at) => new Event.TagFailed(at, Sample.Refused));
    public ContainerStory ImageFails(Problem? problem = null) => Answer<Effect.FetchImage>((_, at) => new Event.ImageFailed(at, problem ?? Sample.Refused));
    public ContainerStory ImageAnswers(long pulled = 0) =>
        Answer<Effect.FetchImage>((e, at) => new Event.ImageReady(at, new FetchedImage(e.Resolution.Image.Digest, pulled)));
    public ContainerStory StartFails(Problem problem) => Answer<Effect.StartContainer>((e, at) => new Event.StartFailed(at, e.Operation, problem));
    public ContainerStory StopFails(Problem problem) => Answer<Effect.StopContainer>((e, at) => new Event.StopFailed(at, e.Operation, problem));
    public ContainerStory Answers(ProbeResult result) => Answer<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, result));
    public ContainerStory ProbePasses() => Answer<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, Sample.Found(null)));
    public ContainerStory ProbeFails(string fault = "it answers 500") =>
        Answer<Effect.Probe>((e, at) => new Event.Probed(at, e.Operation, Sample.Found(fault)));

    public ContainerStory Starts() => Answer<Effect.StartContainer>((start, at) =>
    {
        Engine.RemoveAll(c => c.Id != start.Neighbor?.Id);
        Engine.Add(Sample.Running($"container-{++_containers}", start.Release, $"2026-01-01T00:00:{_containers:00}Z") with
        {
            Name = start.Neighbor is null ? "ragstream" : "ragstream-next",
            LastGood = start.LastGood,
            Avoided = start.Avoided,
        });
        return new Event.ContainerStarted(at, start.Operation, Engine[^1]);
    });

    public ContainerStory Stops() => Answer<Effect.StopContainer>((stop, at) =>
    {
        Engine.RemoveAll(c => c.Id == stop.Container.Id);
        return new Event.ContainerStopped(at, stop.Operation);
    });

    public ContainerStory SpareAnswers() => Answer<Effect.FetchFallback>((e, at) => new Event.FallbackReady(at, e.Image));

    public ContainerStory SpareFails(Problem problem) => Answer<Effect.FetchFallback>((_, at) => new Event.FallbackFailed(at, problem));

    /// <summary>EC2's answer to the stop of the instance.</summary>
    public ContainerStory AnswersStop(Func<Moment, Event> answer) => Answer<Effect.StopInstance>((_, at) => answer(at));

    public ContainerStory Drains(int left = 0) => Answer<Effect.Drain>((e, at) => new Event.Drained(at, e.Operation, left));

    public ContainerStory Collects(int removed = 0) => Answer<Effect.CleanUpImages>((_, at) => new Event.CleanupFinished(at, new ImageCleanupResult(removed, removed * 1000)));

    /// <summary>From the start of the agent to an app that serves the tag's image; nothing of ours ran before.</summary>
    public ContainerStory Serves() => Boots().EngineAnswers().SecretsAnswer().TagAnswers().ImageAnswers().ComesUp();

    /// <summary>From the start effect to serving.</summary>
    public ContainerStory ComesUp() => Starts().EngineAnswers().ProvesItself();

    public ContainerStory ProvesItself() => Policy.HasGate ? ProbePasses().ProbePasses() : ProbePasses();

    /// <summary>The engine says that something stirred, and shows what.</summary>
    public ContainerStory EngineShows(params Container[] containers)
    {
        Engine.Clear();
        Engine.AddRange(containers);
        return Hears(at => new Event.EngineChanged(at)).EngineIsSeen();
    }

    /// <summary>The agent begins anew with what it has written down; the engine goes on meanwhile.</summary>
    public ContainerStory LivesAgain(bool remembers = true)
    {
        _pending.Clear();
        State = AgentState.Begin(remembers ? Memory : null, seed: 1);
        Now = Moment.Zero;
        return Boots();
    }

    /// <summary>Somebody pushed another image, and an operator asks for it; what is needed for it is there.</summary>
    public ContainerStory Deploys(ImageName image)
    {
        Tag = image;
        return IsAskedTo(RequestKind.Update).SecretsAnswer().TagAnswers().ImageAnswers();
    }

    public ContainerStory IsAskedTo(RequestKind kind) => Passes(TimeSpan.FromMilliseconds(1)).Hears(at => new Event.OperatorRequested(at, kind));

    /// <summary>From the stop of the old one to the new one that serves.</summary>
    public ContainerStory Swaps() => Stops().EngineIsSeen().ComesUp();

    /// <summary>It has served so long that it counts as good.</summary>
    public ContainerStory IsProven() => PassesQuietly(Policy.Watch + TimeSpan.FromSeconds(1));

    /// <summary>Every inspection that is under way or follows from one is answered.</summary>
    public ContainerStory EngineIsSeen()
    {
        while (Has<Effect.InspectEngine>())
        {
            EngineAnswers();
        }
        return this;
    }

    /// <summary>Somebody asks for an update, a moment after all that came before.</summary>
    public ContainerStory IsAskedToUpdate() => IsAskedTo(RequestKind.Update);

    public ContainerStory Crashes(int code = 1) => EngineShows(Current.Ended(code));

    /// <summary>Waits out the back-off and starts again.</summary>
    public ContainerStory ComesBack() => WaitsOut().ComesUp();

    public ContainerStory WaitsOut() => Rereads().Passes(((ContainerState.BackingOff)State.Front).Until - Now).EngineIsSeen();

    /// <summary>A crash is the time to look for newer secrets: they are read while the back-off lasts.</summary>
    public ContainerStory Rereads() => Has<Effect.ReadSecrets>() ? SecretsAnswer() : this;

    private void WakesAt(Moment next)
    {
        Now = next > Now ? next : Now;
        Hears(at => new Event.Tick(at));
        if (Deadlines.Next(State, Policy) <= Now)
        {
            throw new InvalidOperationException($"The deadline at {Now} is not over after its tick: the loop would spin.");
        }
    }

    private Inventory Shown() => new([.. Engine], "20.10") { Images = Images?.Select(image => image.ToString()).ToHashSet() };

    private ContainerStory Answer<T>(Func<T, Moment, Event> answer) where T : Effect
    {
        var effect = _pending.OfType<T>().Last();   // an earlier one is about something that is gone
        _pending.Remove(effect);
        return Hears(at => answer(effect, at));
    }

    private void AnswerQuietly()
    {
        while (_pending.Count > 0)
        {
            _ = _pending[0] switch
            {
                Effect.InspectEngine => EngineAnswers(),
                Effect.ReadSecrets => SecretsAnswer(),
                Effect.ResolveTag => TagAnswers(),
                Effect.FetchImage => ImageAnswers(),
                Effect.StartContainer => Starts(),
                Effect.StopContainer => Stops(),
                Effect.Drain => Drains(),
                Effect.FetchFallback => SpareAnswers(),
                Effect.CleanUpImages => Collects(),
                _ => ProbePasses(),
            };
        }
    }
}
