using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Supervision.Simulation;

/// <summary>Everything around the agent, and the turns that a history takes in it.</summary>
internal sealed class World
{
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan SlowestStage = TimeSpan.FromSeconds(12);
    public static readonly Problem OutOfReach = new("out-of-reach", "It did not work.", "");

    private readonly List<AppImage> _images = [];
    private readonly Errands _errands;
    private Policy _policy;
    private int _configs = 1;
    private TimeSpan _registryDownUntil, _secretsDownUntil, _pullsFailUntil, _slowUntil;
    private bool _notesAreLost;
    private TimeSpan _diskFullUntil, _pressureUntil, _proberFailsUntil, _unwritableUntil;
    private readonly HashSet<int> _badSecrets = [];
    private TimeSpan _startsFailUntil, _startsFailHalfwayUntil, _stopsFailUntil, _stopOfInstanceDeniedUntil;
    private TimeSpan _visitToldAt = -TimeSpan.FromHours(1);
    private TimeSpan _goesDownAt = TimeSpan.MinValue;

    public World(History history, List<string>? journal)
    {
        Time = new Timeline(history.Luck, journal);
        Engine = new SimulatedEngine(Time, history.SecretsSurviveRestart);
        Rules = new Rules(this);
        _errands = new Errands(this);
        Agent = new SimulatedAgent(Time, _errands.Begin, Rules);
        _policy = history.Policy;
        Engine.Stirred += () => Hint(at => new Event.EngineChanged(at));
        Engine.Broke += () => Agent.Hear(at => new Event.EngineDisconnected(at));
        Engine.StopCalled += id => Hint(at => new Event.ExternalStopRequested(at, id));
        Engine.Works = release => !_badSecrets.Any(version => release.SecretsFingerprint == $"v{version}");
        Agent.Crashed += () => CrashAgent(5);
        Push(AppKind.Good, 30);
    }

    public Timeline Time { get; }
    public SimulatedEngine Engine { get; }
    public SimulatedAgent Agent { get; }
    public Rules Rules { get; }
    public AppImage Tag { get; private set; } = null!;
    public int SecretVersion { get; private set; } = 1;
    public int Sessions { get; private set; }

    public bool RegistryAnswers => Time.Now >= _registryDownUntil;
    public bool SecretsAnswer => Time.Now >= _secretsDownUntil;
    public bool PullsFail => Time.Now < _pullsFailUntil;
    public bool StartsFail => Time.Now < _startsFailUntil;
    public bool StartsFailHalfway => Time.Now < _startsFailHalfwayUntil;
    public bool StopsFail => Time.Now < _stopsFailUntil;
    public bool StopOfInstanceIsDenied => Time.Now < _stopOfInstanceDeniedUntil;

    /// <summary>When the machine started: the agent's history begins some time after it.</summary>
    public TimeSpan BootedAt { get; private set; } = -TimeSpan.FromSeconds(20);

    /// <summary>When a visitor or an operator last did something.</summary>
    public TimeSpan? LastUse { get; private set; }

    /// <summary>How often EC2 has accepted to stop the instance.</summary>
    public int StopsOfInstance { get; private set; }
    public bool DiskIsFull => Time.Now < _diskFullUntil;
    public bool IsUnderPressure => Time.Now < _pressureUntil;
    public bool ProberFails => Time.Now < _proberFailsUntil;
    public bool StateIsUnwritable => Time.Now < _unwritableUntil;

    /// <summary>What the agent has written down; null: nothing, or it can't be read.</summary>
    public PersistedState? StateFile { get; set; }

    public bool IsSlow => Time.Now < _slowUntil;
    public bool IsIdle => !_errands.UnderWay.Any();

    public AppImage AppOf(ImageName name) =>
        _images.Find(i => i.Name == name) ?? throw new InvalidOperationException($"Nobody pushed {name}.");

    public void Boot() => Agent.Boot(_policy.Idle is { } idle ? _policy with { Idle = idle with { BootedAt = new Moment(BootedAt - Time.Now) } } : _policy, StateFile);

    /// <summary>A visitor does something; the front door tells it once a second.</summary>
    public void Visit()
    {
        if (!Agent.IsAlive)
        {
            return;
        }
        LastUse = Time.Now;
        if (_policy.Idle is { } idle && Time.Now >= _visitToldAt + idle.ActivityInterval)
        {
            _visitToldAt = Time.Now;
            Agent.Hear(at => new Event.ActivitySeen(at));
        }
    }

    /// <summary>Visits from now on, one every so often.</summary>
    /// <param name="every">From one to the next.</param>
    /// <param name="until">Where they end.</param>
    public void Visit(TimeSpan every, TimeSpan until)
    {
        Visit();
        if (Time.Now + every < until)
        {
            Time.In(every, () => Visit(every, until));
        }
    }

    /// <summary>EC2 stops the instance: it shuts down, and is started again later; now and then it stays up, which it should not.</summary>
    public void StopInstance()
    {
        Time.Tell(() => "     EC2 stops the instance");
        StopsOfInstance++;
        if (Time.Chance(0.9))
        {
            var after = Time.Between(0, 60);
            _goesDownAt = Time.Now + after;
            Time.In(after, () => Reboot((int)Time.Between(0, 300).TotalSeconds));
        }
    }

    /// <summary>From now on EC2 stops the instance when it is asked to.</summary>
    public void AllowStopOfInstance() => _stopOfInstanceDeniedUntil = Time.Now;

    /// <summary>Removing old images makes room.</summary>
    public void DiskIsFreed(int removed) => _diskFullUntil = removed > 0 ? Time.Now : _diskFullUntil;

    public void Take(Turn turn)
    {
        Time.RunTo(Time.Now + turn.After);
        Time.Tell(() => $"---- {turn.What} ({turn.Seconds}s)");
        var until = Time.Now + TimeSpan.FromSeconds(turn.Seconds);
        Interventions += turn.What is Happening.RotateSecret or Happening.RotateSecretToBad or Happening.StateLost or Happening.StateUnwritable or Happening.AgentCrashWithNewConfig
            or Happening.MoveTagBack or Happening.HumanRemovesImage or Happening.ImageBreaks or Happening.AgentCrash or Happening.Reboot ? 1 : 0;
        switch (turn.What)
        {
            case Happening.PushGood: Push(AppKind.Good, turn.Seconds); break;
            case Happening.PushNeverHealthy: Push(AppKind.NeverHealthy, turn.Seconds); break;
            case Happening.PushCrashing: Push(AppKind.Crashes, turn.Seconds); break;
            case Happening.PushExiting: Push(AppKind.ExitsWithZero, turn.Seconds); break;
            case Happening.PushHanging: Push(AppKind.Hangs, turn.Seconds); break;
            case Happening.PushFailingGate: Push(AppKind.FailsGate, turn.Seconds); break;
            case Happening.PushOutOfMemory: Push(AppKind.RunsOutOfMemory, turn.Seconds); break;
            case Happening.MoveTagBack: Tag = _images[(int)(Time.Luck() * _images.Count)]; break;
            case Happening.RotateSecret: SecretVersion++; break;
            case Happening.RotateSecretToBad: _badSecrets.Add(++SecretVersion); break;
            case Happening.AskUpdate: Ask(RequestKind.Update); break;
            case Happening.AskRollback: Ask(RequestKind.Rollback); break;
            case Happening.AskUnquarantine: Ask(RequestKind.Unquarantine); break;
            case Happening.AskStop: Ask(RequestKind.Stop); break;
            case Happening.AskStart: Ask(RequestKind.Start); break;
            case Happening.DiskFull: _diskFullUntil = until; break;
            case Happening.Pressure: _pressureUntil = until; break;
            case Happening.ProberFails: _proberFailsUntil = until; break;
            case Happening.StateUnwritable: (_unwritableUntil, _notesAreLost) = (until, true); break;
            case Happening.StateLost: _notesAreLost = true; LoseState(); break;
            case Happening.ImageBreaks: Engine.Broken.UnionWith(Engine.Disk.Where(_ => Time.Chance(0.5))); break;
            case Happening.Reboot: Reboot(turn.Seconds); break;
            case Happening.Visits: Visit(); break;
            case Happening.VisitsForAWhile: Visit(TimeSpan.FromSeconds(0.3 + (Time.Luck() * 20)), until + TimeSpan.FromMinutes(5)); break;
            case Happening.StopOfInstanceDenied: _stopOfInstanceDeniedUntil = until; break;
            case Happening.OpenSessions: SetSessions(turn.Seconds + 1); break;
            case Happening.CloseSessions: SetSessions(0); break;
            case Happening.EngineDown: Engine.GoDown(until - Time.Now); break;
            case Happening.EngineRestart: Engine.ShutDown(Time.Chance(0.5) ? TimeSpan.Zero : Time.Between(0, 5), until - Time.Now); break;
            case Happening.RegistryDown: _registryDownUntil = until; break;
            case Happening.SecretsDown: _secretsDownUntil = until; break;
            case Happening.PullFails: _pullsFailUntil = until; break;
            case Happening.StartFails: _startsFailUntil = until; break;
            case Happening.StartFailsHalfway: _startsFailHalfwayUntil = until; break;
            case Happening.StopFails: _stopsFailUntil = until; break;
            case Happening.Slow: _slowUntil = until; break;
            case Happening.AgentCrash: CrashAgent(turn.Seconds); break;
            case Happening.AgentCrashWithNewConfig:
                _policy = _policy with { ConfigFingerprint = $"config-{++_configs}" };
                CrashAgent(turn.Seconds);
                break;
            default: HumanDoes(turn.What); break;
        }
    }

    /// <summary>The last fault ends; the tag means a good image; all visitors are gone; and whoever must ask for an update asks.</summary>
    public void Mend()
    {
        Time.Tell(() => "==== from here on nothing goes wrong");
        // That the instance stops itself is looked at afterwards; one that is about to comes back first.
        _stopOfInstanceDeniedUntil = TimeSpan.MaxValue;
        while (Time.Now <= _goesDownAt || (Agent.IsAlive && IdleStop.IsStopping(Agent.State)))
        {
            Time.RunTo(Time.Now + TimeSpan.FromSeconds(1));
        }
        _registryDownUntil = _secretsDownUntil = _pullsFailUntil = _slowUntil = Time.Now;
        _startsFailUntil = _startsFailHalfwayUntil = _stopsFailUntil = Time.Now;
        _diskFullUntil = _pressureUntil = _proberFailsUntil = _unwritableUntil = Time.Now;
        Engine.DownUntil = Time.Now;
        Agent.CrashesAfter = null;
        if (_badSecrets.Contains(SecretVersion))
        {
            SecretVersion++;
        }
        if (!Agent.IsAlive)
        {
            Boot();
        }
        // A bad image may stay the newest when there is one to go back to.
        var isSetAside = new[] { Agent.State.Verdict, StateFile?.Verdict }.Any(verdict => verdict is { IsAvoided: true } && verdict.Image == Tag.Name) ||
            Engine.Boxes.Any(box => box.Show().Avoided == Tag.Name);
        if ((!IsGood(Tag) || isSetAside) && !(IsSurelyBad(Tag) && HasFallback() && Time.Chance(0.5)))
        {
            Push(AppKind.Good, 0);
        }
        SetSessions(0);
        Time.RunTo(Time.Now + TimeSpan.FromSeconds(1));   // news of the last turn is out
        Ask(RequestKind.Start);
        // Rotated secrets, and a tag that is never looked at by itself, are seen when somebody asks.
        Ask(RequestKind.Update);
        if (_notesAreLost)
        {
            // An agent that is killed in the middle of its own stop and has no note of it takes the end for a human's: an operator sees it and starts the app.
            Time.In(TimeSpan.FromMinutes(1), () =>
            {
                if (Agent.State.Hold == Hold.DockerStop)
                {
                    Ask(RequestKind.Start);
                }
            });
        }
    }

    /// <summary>One container of ours runs well, with the right configuration, and the agent sees it so.</summary>
    public bool Serves =>
        Agent.State is { Front: ContainerState.Serving { Failures: 0 } serving, Candidate: null, Request: null } &&
        Engine.Alive.Take(2).ToArray() is [var box] && box.Show() is var shown && shown with { Name = serving.Container.Name } == serving.Container &&
        IsWanted(box.App) && box.Release.ConfigFingerprint == _policy.ConfigFingerprint && box.FaultAt(Time.Now, ProbeKind.Liveness) is null;

    /// <summary>It serves, and the agent has read all that there is to know: nothing that it will learn can change its mind.</summary>
    public bool IsSettled =>
        Serves && Agent.State is { Secrets.State: FetchState.Idle, Tag: { State: FetchState.Idle, Value.Image: var known } } && known == Tag.Name &&
        (Agent.State.Verdict is null || (Agent.State.Verdict is Verdict.Quarantined bad && bad.Image == Tag.Name)) &&
        Engine.Alive.First().StopsUntil <= Time.Now &&   // what was asked for before does not come now
        Engine.Alive.First().Release.SecretsFingerprint == Agent.State.Secrets.Value?.Fingerprint && (StateFile is null || StateFile.Equals(Agent.State.ToPersist()));

    /// <summary>The newest image, or a good one while the newest is bad or did badly for the sake of its secrets.</summary>
    private bool IsWanted(AppImage app) => app == Tag ? IsGood(Tag)
        : IsGood(app) && Agent.State.Verdict is { IsAvoided: true } verdict && verdict.Image == Tag.Name;

    /// <summary>There is a good image to go back to, and none of the agent's is on trial that could still become one though it is bad.</summary>
    private bool HasFallback() =>
        Agent.State.KnownGood.FirstOrDefault(good => good != Tag.Name) is { } fallback && IsFine(fallback) &&
        new[] { Agent.State.Front.Current?.Image, Agent.State.Candidate?.Current?.Image, Agent.State.LastImage, (Agent.State.Front as ContainerState.Starting)?.Release.Image }
            .All(image => image is null || image == fallback || image == Tag.Name) &&
        Engine.Boxes.All(box => box.App == Tag || box.App.Name == fallback) && !Agent.State.Image.IsRunning &&
        (Agent.State.Image.Value is not { } ready || ready.Digest == Tag.Name.Digest || ready.Digest == fallback.Digest);

    private bool IsFine(ImageName image) => IsGood(AppOf(image)) && CanStart(image);

    public bool CanStart(ImageName image) => Engine.Disk.Contains(image) && !Engine.Broken.Contains(image);

    /// <summary>A gate that nobody asks can't be failed.</summary>
    private bool IsGood(AppImage app) => app.Kind == AppKind.Good || (app.Kind == AppKind.FailsGate && !_policy.HasGate);

    /// <summary>So bad that no trial can overlook it.</summary>
    private static bool IsSurelyBad(AppImage app) => app.Kind is AppKind.NeverHealthy ||
        (app.Kind is AppKind.Crashes or AppKind.ExitsWithZero or AppKind.RunsOutOfMemory && app.After < TimeSpan.FromSeconds(10));

    /// <summary>What may rightly lead to another try of an image that failed.</summary>
    public int Interventions { get; private set; }

    private void Ask(RequestKind kind)
    {
        Interventions++;
        LastUse = Time.Now;
        Agent.Hear(at => new Event.OperatorRequested(at, kind));
    }

    private void LoseState()
    {
        StateFile = null;
        Rules.StateIsLost();
    }

    /// <summary>Everything ends, the engine first; a hold is over with it.</summary>
    private void Reboot(int seconds)
    {
        CrashAgent(seconds);
        BootedAt = Time.Now;
        Engine.ShutDown(TimeSpan.Zero, Time.Between(0, 5));
        StateFile = StateFile is { } kept ? kept with { Hold = null } : null;
        Rules.Reboots();
    }

    private void Push(AppKind kind, int seconds)
    {
        var name = new ImageName("registry.example/app", $"sha256:{_images.Count + 1}-{kind}");
        Tag = new AppImage(name, kind, TimeSpan.FromSeconds(seconds));
        _images.Add(Tag);
    }

    private void SetSessions(int open)
    {
        Sessions = Agent.IsAlive ? open : 0;   // they go through the agent's front door
        Agent.Hear(at => new Event.SessionsChanged(at, open));
    }

    private void CrashAgent(int seconds)
    {
        if (Agent.IsAlive)
        {
            Agent.Crash();
            _errands.Cut();
            SetSessions(0);
            Time.In(TimeSpan.FromSeconds(seconds / 10.0), () =>
            {
                if (!Agent.IsAlive)
                {
                    Boot();
                }
            });
        }
    }

    private void HumanDoes(Happening what)
    {
        if (!Engine.IsUp)
        {
            return;
        }
        var alive = Engine.Alive.FirstOrDefault();
        var ended = Engine.Boxes.Find(b => b.Status == ContainerStatus.Exited);
        switch (what)
        {
            case Happening.HumanStop when alive is not null:
                alive.StoppedByHuman = true;
                Engine.Stop(alive);
                break;
            case Happening.HumanKill when alive is not null: Engine.End(alive, 137); break;
            case Happening.HumanRemove when Engine.Boxes.Count > 0: Engine.Remove(Engine.Boxes[0]); break;
            case Happening.HumanRestart when alive is not null:
                alive.StoppedByHuman = true;
                Engine.Stop(alive);
                Engine.Start(alive, byHuman: true);
                break;
            case Happening.HumanStart when ended is not null: Engine.Start(ended, byHuman: true); break;
            case Happening.HumanPause when alive is not null:
                alive.Status = ContainerStatus.Paused;
                Agent.Hear(at => new Event.EngineChanged(at));
                break;
            case Happening.HumanRunsSecond when Engine.Alive.Count() < 2 && alive is not null:
                var second = Engine.Create("second", alive.Release, alive.App);
                second.HasSecrets = true;
                Engine.Start(second, byHuman: true);
                second.HasSecrets = true;
                break;
            case Happening.HumanRemovesImage:
                Engine.Disk.RemoveWhere(image => Engine.Boxes.All(b => b.Release.Image != image));
                break;
            case Happening.HumanPrunes:
                foreach (var box in Engine.Boxes.Where(b => !b.IsAlive).ToArray())
                {
                    Engine.Remove(box);
                }
                break;
        }
    }

    /// <summary>The engine's event: mostly it comes, at times it is lost or comes twice.</summary>
    private void Hint(Func<Moment, Event> what)
    {
        var times = Time.Chance(0.2) ? 0 : Time.Chance(0.1) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            Time.In(Time.Between(0.001, 0.05), () => Agent.Hear(what));
        }
    }
}
