using RagAgent.Common;
using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

/// <summary>Everything around the agent, and the steps of a history that change it.</summary>
internal sealed class World
{
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    public static readonly TimeSpan SlowestStageDuration = TimeSpan.FromSeconds(12);
    public static readonly ProbeResult.SessionFailed PageOutage = new("APIConnectionError: Connection error", IsFinal: false);
    public static readonly Problem Unavailable = new(new ProblemKind("out-of-reach"), "It did not work.", "");

    private readonly List<AppImage> _images = [];
    private readonly EffectSimulator _effects;
    private Policy _policy;
    private int _configNumber = 1;
    private TimeSpan _registryDownUntil, _secretsDownUntil, _pullsFailUntil, _slowUntil;
    private bool _stateWasLost;
    private TimeSpan _diskFullUntil, _pressureUntil, _proberFailsUntil, _unwritableUntil;
    private readonly HashSet<int> _badSecrets = [];
    private TimeSpan _pagesFailUntil;
    private TimeSpan _startsFailUntil, _startsFailHalfwayUntil, _stopsFailUntil, _instanceStopDeniedUntil;
    private TimeSpan _visitReportedAt = -TimeSpan.FromHours(1);
    private TimeSpan _agentStartedAt;
    private TimeSpan _goesDownAt = TimeSpan.MinValue;

    public World(History history, List<string>? journal)
    {
        Time = new VirtualTime(history.Seed, journal);
        Engine = new SimulatedEngine(Time, history.SecretsSurviveRestart);
        Invariants = new Invariants(this);
        _effects = new EffectSimulator(this);
        Agent = new SimulatedAgent(Time, _effects.Run, Invariants);
        _policy = history.Policy;
        Engine.Changed += () => SendEngineEvent(at => new Event.EngineChanged(at));
        Engine.EventStreamBroke += () => Agent.Handle(at => new Event.EngineDisconnected(at));
        Engine.StopCalled += id => SendEngineEvent(at => new Event.ExternalStopRequested(at, id));
        Engine.SecretsWork = release => !_badSecrets.Any(version => release.SecretsFingerprint == $"v{version}");
        Agent.Crashed += () => CrashAgent(5);
        Push(AppBehavior.Good, 30);
    }

    public VirtualTime Time { get; }
    public SimulatedEngine Engine { get; }
    public SimulatedAgent Agent { get; }
    public Invariants Invariants { get; }
    public AppImage Tag { get; private set; } = null!;
    public int SecretVersion { get; private set; } = 1;
    /// <summary>When each open session was last used; null: it can't be read.</summary>
    public List<TimeSpan?> Sessions { get; } = [];

    public bool RegistryIsUp => Time.Now >= _registryDownUntil;
    public bool SecretsAreUp => Time.Now >= _secretsDownUntil;
    public bool PullsFail => Time.Now < _pullsFailUntil;

    /// <summary>Something that every page needs is down.</summary>
    public bool PagesFail => Time.Now < _pagesFailUntil;
    public bool StartsFail => Time.Now < _startsFailUntil;
    public bool StartsFailHalfway => Time.Now < _startsFailHalfwayUntil;
    public bool StopsFail => Time.Now < _stopsFailUntil;
    public bool InstanceStopIsDenied => Time.Now < _instanceStopDeniedUntil;

    /// <summary>When the machine booted. The history begins some time later.</summary>
    public TimeSpan BootedAt { get; private set; } = -TimeSpan.FromSeconds(20);

    /// <summary>When a client or an operator was last active.</summary>
    public TimeSpan? LastUse { get; private set; }

    /// <summary>How often EC2 has accepted to stop the instance.</summary>
    public int InstanceStops { get; private set; }
    public bool DiskIsFull => Time.Now < _diskFullUntil;
    public bool IsUnderPressure => Time.Now < _pressureUntil;
    public bool ProberFails => Time.Now < _proberFailsUntil;
    public bool StateIsUnwritable => Time.Now < _unwritableUntil;

    /// <summary>The content of the state file; null: there is none, or it can't be read.</summary>
    public PersistedState? StateFile { get; set; }

    public bool IsSlow => Time.Now < _slowUntil;
    public bool IsIdle => !_effects.Pending.Any();

    public AppImage AppOf(ImageName name) =>
        _images.Find(i => i.Name == name) ?? throw new InvalidOperationException($"Nobody pushed {name}.");

    public void Boot()
    {
        // The file has wall-clock times: they become times of the agent that reads it.
        var sinceLastStart = Time.Now - _agentStartedAt;
        _agentStartedAt = Time.Now;
        StateFile = StateFile is { UpdateWaitsSince: { } since } kept ? kept with { UpdateWaitsSince = since - sinceLastStart } : StateFile;
        Agent.Boot(
            _policy.Idle is { } idle ? _policy with { Idle = idle with { BootedAt = new Moment(BootedAt - Time.Now) } } : _policy,
            StateFile);
    }

    /// <summary>A client is active. The front door reports it at most once a second.</summary>
    public void Visit()
    {
        if (!Agent.IsAlive)
        {
            return;
        }
        LastUse = Time.Now;
        if (_policy.Idle is { } idle && Time.Now >= _visitReportedAt + idle.ActivityInterval)
        {
            _visitReportedAt = Time.Now;
            Agent.Handle(at => new Event.ActivitySeen(at));
        }
    }

    /// <summary>Regular activity from now on.</summary>
    /// <param name="every">The interval.</param>
    /// <param name="until">When it ends.</param>
    public void Visit(TimeSpan every, TimeSpan until)
    {
        Visit();
        if (Time.Now + every < until)
        {
            Time.Schedule(every, () => Visit(every, until));
        }
    }

    /// <summary>EC2 stops the instance. It shuts down and starts again later; sometimes it wrongly stays up.</summary>
    public void StopInstance()
    {
        Time.Log(() => "     EC2 stops the instance");
        InstanceStops++;
        if (Time.Chance(0.9))
        {
            var after = Time.Between(0, 60);
            _goesDownAt = Time.Now + after;
            Time.Schedule(after, () => Reboot((int)Time.Between(0, 300).TotalSeconds));
        }
    }

    /// <summary>From now on EC2 accepts requests to stop the instance.</summary>
    public void AllowInstanceStop() => _instanceStopDeniedUntil = Time.Now;

    /// <summary>Removing old images frees space.</summary>
    public void FreeDisk(int removed) => _diskFullUntil = removed > 0 ? Time.Now : _diskFullUntil;

    public void Apply(HistoryStep step)
    {
        Time.RunTo(Time.Now + step.Delay);
        Time.Log(() => $"---- {step.Incident} ({step.DurationSeconds}s)");
        var until = Time.Now + TimeSpan.FromSeconds(step.DurationSeconds);
        Interventions += step.Incident is Incident.RotateSecret or Incident.RotateSecretToBad or Incident.StateLost or
            Incident.StateUnwritable or Incident.AgentCrashWithNewConfig or
            Incident.MoveTagBack or Incident.HumanRemovesImage or Incident.ImageBreaks or Incident.AgentCrash or Incident.Reboot ? 1 : 0;
        switch (step.Incident)
        {
            case Incident.PushGood: Push(AppBehavior.Good, step.DurationSeconds); break;
            case Incident.PushNeverHealthy: Push(AppBehavior.NeverHealthy, step.DurationSeconds); break;
            case Incident.PushCrashing: Push(AppBehavior.Crashes, step.DurationSeconds); break;
            case Incident.PushExiting: Push(AppBehavior.ExitsWithZero, step.DurationSeconds); break;
            case Incident.PushHanging: Push(AppBehavior.Hangs, step.DurationSeconds); break;
            case Incident.PushFailingGate: Push(AppBehavior.FailsGate, step.DurationSeconds); break;
            case Incident.PushPageThatLacksModule: Push(AppBehavior.PageLacksModule, step.DurationSeconds); break;
            case Incident.PushPageThatThrows: Push(AppBehavior.PageThrows, step.DurationSeconds); break;
            case Incident.PushPageThatKillsApp: Push(AppBehavior.DiesInSession, step.DurationSeconds); break;
            case Incident.PagesFail: _pagesFailUntil = until; break;
            case Incident.PushOutOfMemory: Push(AppBehavior.RunsOutOfMemory, step.DurationSeconds); break;
            case Incident.MoveTagBack: Tag = _images[(int)(Time.NextDouble() * _images.Count)]; break;
            case Incident.RotateSecret: SecretVersion++; break;
            case Incident.RotateSecretToBad: _badSecrets.Add(++SecretVersion); break;
            case Incident.AskUpdate: Request(RequestKind.Update); break;
            case Incident.AskRollback: Request(RequestKind.Rollback); break;
            case Incident.AskUnquarantine: Request(RequestKind.Unquarantine); break;
            case Incident.AskStop: Request(RequestKind.Stop); break;
            case Incident.AskStart: Request(RequestKind.Start); break;
            case Incident.DiskFull: _diskFullUntil = until; break;
            case Incident.Pressure: _pressureUntil = until; break;
            case Incident.ProberFails: _proberFailsUntil = until; break;
            case Incident.StateUnwritable: (_unwritableUntil, _stateWasLost) = (until, true); break;
            case Incident.StateLost: _stateWasLost = true; LoseState(); break;
            case Incident.ImageBreaks: Engine.CorruptImages.UnionWith(Engine.ImagesOnDisk.Where(_ => Time.Chance(0.5))); break;
            case Incident.Reboot: Reboot(step.DurationSeconds); break;
            case Incident.Visits: Visit(); break;
            case Incident.SteadyVisits: Visit(TimeSpan.FromSeconds(0.3 + (Time.NextDouble() * 20)), until + TimeSpan.FromMinutes(5)); break;
            case Incident.StopOfInstanceDenied: _instanceStopDeniedUntil = until; break;
            case Incident.OpenSessions:
                ChangeSessions(open => open.AddRange(Enumerable.Repeat((TimeSpan?)Time.Now, 1 + (step.DurationSeconds % 3))));
                break;
            case Incident.OpenUnreadableSession: ChangeSessions(open => open.Add(null)); break;
            case Incident.UseSessions: UseSessions(Time.Now + TimeSpan.FromSeconds(step.DurationSeconds)); break;
            case Incident.CloseSessions: CloseSessions(); break;
            case Incident.EngineDown: Engine.BecomeUnreachable(until - Time.Now); break;
            case Incident.EngineRestart: Engine.ShutDown(Time.Chance(0.5) ? TimeSpan.Zero : Time.Between(0, 5), until - Time.Now); break;
            case Incident.RegistryDown: _registryDownUntil = until; break;
            case Incident.SecretsDown: _secretsDownUntil = until; break;
            case Incident.PullFails: _pullsFailUntil = until; break;
            case Incident.StartFails: _startsFailUntil = until; break;
            case Incident.StartFailsHalfway: _startsFailHalfwayUntil = until; break;
            case Incident.StopFails: _stopsFailUntil = until; break;
            case Incident.EverythingSlow: _slowUntil = until; break;
            case Incident.AgentCrash: CrashAgent(step.DurationSeconds); break;
            case Incident.AgentCrashWithNewConfig:
                _policy = _policy with { ConfigFingerprint = $"config-{++_configNumber}" };
                CrashAgent(step.DurationSeconds);
                break;
            default: ActAsHuman(step.Incident); break;
        }
    }

    /// <summary>Every fault ends, the tag points to a good image, all clients leave, and an update is requested if it is needed.</summary>
    public void Repair()
    {
        Time.Log(() => "==== from here on nothing goes wrong");
        // The idle stop is checked afterwards. If a stop is in progress, the instance comes back first.
        _instanceStopDeniedUntil = TimeSpan.MaxValue;
        while (Time.Now <= _goesDownAt || (Agent.IsAlive && IdleStop.IsStopping(Agent.State)))
        {
            Time.RunTo(Time.Now + TimeSpan.FromSeconds(1));
        }
        _registryDownUntil = _secretsDownUntil = _pullsFailUntil = _slowUntil = Time.Now;
        _startsFailUntil = _startsFailHalfwayUntil = _stopsFailUntil = _pagesFailUntil = Time.Now;
        _diskFullUntil = _pressureUntil = _proberFailsUntil = _unwritableUntil = Time.Now;
        Engine.DownUntil = Time.Now;
        Agent.CrashAfterEvent = null;
        if (_badSecrets.Contains(SecretVersion))
        {
            SecretVersion++;
        }
        if (!Agent.IsAlive)
        {
            Boot();
        }
        // A bad image may stay the newest when there is one to go back to.
        var isAvoided =
            new[] { Agent.State.Images.Verdict, StateFile?.Verdict }
                .Any(verdict => verdict is { IsAvoided: true } && verdict.Image == Tag.Name) ||
            Engine.Containers.Any(container => container.ToContainer().Avoided == Tag.Name);
        if ((!IsGood(Tag) || isAvoided) && !(IsSurelyBad(Tag) && HasFallback() && Time.Chance(0.5)))
        {
            Push(AppBehavior.Good, 0);
        }
        CloseSessions();
        Time.RunTo(Time.Now + TimeSpan.FromSeconds(1));   // the events of the last step have arrived
        Request(RequestKind.Start);
        // Rotated secrets, and a tag that is only resolved on request, are noticed at the next request.
        Request(RequestKind.Update);
        if (_stateWasLost)
        {
            // An agent that is killed in the middle of its own stop and has no note of it takes the end for a human's: an operator sees it
            // and starts the app.
            Time.Schedule(TimeSpan.FromMinutes(1), () =>
            {
                if (Agent.State.Hold == StopHold.DockerStop)
                {
                    Request(RequestKind.Start);
                }
            });
        }
    }

    /// <summary>One healthy container runs with the right configuration, and the agent knows it.</summary>
    public bool IsServing =>
        Agent.State is { Front: ContainerState.Serving { Failures: 0 } serving, Candidate: null, Requests.Current: null } &&
        Engine.RunningContainers.Take(2).ToArray() is [var container] &&
        container.ToContainer() is var shown &&
        shown with { Name = serving.Container.Name } == serving.Container &&
        IsWanted(container.App) &&
        container.Release.ConfigFingerprint == _policy.ConfigFingerprint &&
        container.ProbeFaultAt(Time.Now, ProbeKind.Liveness) is null;

    /// <summary>It serves, and the agent is up to date: nothing that it will learn can change what it runs.</summary>
    public bool IsSettled =>
        IsServing &&
        Agent.State is { Secrets.State: FetchState.Idle, Tag: { State: FetchState.Idle, Value.Image: var known } } &&
        known == Tag.Name &&
        (Agent.State.Images.Verdict is null || (Agent.State.Images.Verdict is Verdict.Quarantined bad && bad.Image == Tag.Name)) &&
        Engine.RunningContainers.First().LateStopsUntil <= Time.Now &&   // no earlier stop is still to come
        Engine.RunningContainers.First().Release.SecretsFingerprint == Agent.State.Secrets.Value?.Fingerprint &&
        (StateFile is null || StateFile.Equals(Agent.State.ToPersist()));

    /// <summary>The newest image, or a good one while the newest is bad or failed because of its secrets.</summary>
    private bool IsWanted(AppImage app) => app == Tag ? IsGood(Tag)
        : IsGood(app) && Agent.State.Images.Verdict is { IsAvoided: true } verdict && verdict.Image == Tag.Name;

    /// <summary>
    /// There is a good image to go back to, and none of the agent's is on trial that could still become one though it is bad.
    /// </summary>
    private bool HasFallback() =>
        Agent.State.Images.KnownGood.FirstOrDefault(good => good != Tag.Name) is { } fallback && IsUsable(fallback) &&
        new[]
        {
            Agent.State.Front.Current?.Image,
            Agent.State.Candidate?.Current?.Image,
            Agent.State.Images.LastRun,
            (Agent.State.Front as ContainerState.Starting)?.Release.Image,
        }
            .All(image => image is null || image == fallback || image == Tag.Name) &&
        Engine.Containers.All(container => container.App == Tag || container.App.Name == fallback) && !Agent.State.Image.IsRunning &&
        (Agent.State.Image.Value is not { } ready || ready.Digest == Tag.Name.Digest || ready.Digest == fallback.Digest);

    private bool IsUsable(ImageName image) => IsGood(AppOf(image)) && CanStart(image);

    public bool CanStart(ImageName image) => Engine.ImagesOnDisk.Contains(image) && !Engine.CorruptImages.Contains(image);

    /// <summary>A gate that is not configured can't fail.</summary>
    private bool IsGood(AppImage app) => app.Behavior switch
    {
        AppBehavior.Good => true,
        AppBehavior.FailsGate => !_policy.HasGate,
        AppBehavior.PageLacksModule or AppBehavior.PageThrows or AppBehavior.DiesInSession => !RunsSessions,
        _ => false,
    };

    private bool RunsSessions => _policy is { HasGate: true, GateRunsSession: true };

    /// <summary>So bad that every trial must find it.</summary>
    private static bool IsSurelyBad(AppImage app) => app.Behavior is AppBehavior.NeverHealthy ||
        (app.Behavior is AppBehavior.Crashes or AppBehavior.ExitsWithZero or AppBehavior.RunsOutOfMemory &&
            app.FailsAfter < TimeSpan.FromSeconds(10));

    /// <summary>Events that may justify another try of a failed image.</summary>
    public int Interventions { get; private set; }

    private void Request(RequestKind kind)
    {
        Interventions++;
        LastUse = Time.Now;
        Agent.Handle(at => new Event.OperatorRequested(at, kind));
    }

    private void LoseState()
    {
        StateFile = null;
        Invariants.StateLost();
    }

    /// <summary>The machine shuts down, the engine first. A hold ends with it.</summary>
    private void Reboot(int seconds)
    {
        CrashAgent(seconds);
        BootedAt = Time.Now;
        Engine.ShutDown(TimeSpan.Zero, Time.Between(0, 5));
        StateFile = StateFile is { } kept ? kept with { Hold = null } : null;
        Invariants.MachineRebooted();
    }

    private void Push(AppBehavior kind, int seconds)
    {
        var name = new ImageName("registry.example/app", $"sha256:{_images.Count + 1}-{kind}");
        Tag = new AppImage(name, kind, TimeSpan.FromSeconds(seconds));
        _images.Add(Tag);
    }

    private void CloseSessions() => ChangeSessions(open => open.Clear());

    private void UseSessions(TimeSpan until)
    {
        ChangeSessions(open =>
        {
            if (open.FindIndex(used => used is not null) is >= 0 and var readable)
            {
                open[readable] = Time.Now;
            }
        });
        if (Time.Now < until && Sessions.Count > 0)
        {
            Time.Schedule(_policy.SessionReportInterval, () => UseSessions(until));
        }
    }

    private void ChangeSessions(Action<List<TimeSpan?>> change)
    {
        change(Sessions);
        if (!Agent.IsAlive)
        {
            Sessions.Clear();   // they pass through the agent's front door
            return;
        }
        var readable = Sessions.OfType<TimeSpan>().ToArray();
        Agent.Handle(at => new Event.SessionsChanged(
            at, new OpenSessions(Sessions.Count - readable.Length, [.. readable.Select(used => at - (Time.Now - used))])));
    }

    private void CrashAgent(int seconds)
    {
        if (Agent.IsAlive)
        {
            Agent.Crash();
            _effects.AbandonAll();
            CloseSessions();
            Time.Schedule(TimeSpan.FromSeconds(seconds / 10.0), () =>
            {
                if (!Agent.IsAlive)
                {
                    Boot();
                }
            });
        }
    }

    private void ActAsHuman(Incident incident)
    {
        if (!Engine.IsUp)
        {
            return;
        }
        var alive = Engine.RunningContainers.FirstOrDefault();
        var ended = Engine.Containers.Find(container => container.Status == ContainerStatus.Exited);
        switch (incident)
        {
            case Incident.HumanStop when alive is not null:
                alive.StoppedByHuman = true;
                Engine.Stop(alive);
                break;
            case Incident.HumanKill when alive is not null: Engine.Exit(alive, 137); break;
            case Incident.HumanRemove when Engine.Containers.Count > 0: Engine.Remove(Engine.Containers[0]); break;
            case Incident.HumanRestart when alive is not null:
                alive.StoppedByHuman = true;
                Engine.Stop(alive);
                Engine.Start(alive, byHuman: true);
                break;
            case Incident.HumanStart when ended is not null: Engine.Start(ended, byHuman: true); break;
            case Incident.HumanPause when alive is not null:
                alive.Status = ContainerStatus.Paused;
                Agent.Handle(at => new Event.EngineChanged(at));
                break;
            case Incident.HumanRunsSecondContainer when Engine.RunningContainers.Count() < 2 && alive is not null:
                var second = Engine.Create("second", alive.Release, alive.App);
                second.HasSecrets = true;
                Engine.Start(second, byHuman: true);
                second.HasSecrets = true;
                break;
            case Incident.HumanRemovesImage:
                Engine.ImagesOnDisk.RemoveWhere(image => Engine.Containers.All(container => container.Release.Image != image));
                break;
            case Incident.HumanPrunes:
                foreach (var container in Engine.Containers.Where(container => !container.IsAlive).ToArray())
                {
                    Engine.Remove(container);
                }
                break;
        }
    }

    /// <summary>The engine's event: it usually arrives, but is sometimes lost or arrives twice.</summary>
    private void SendEngineEvent(Func<Moment, Event> incident)
    {
        var times = Time.Chance(0.2) ? 0 : Time.Chance(0.1) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            Time.Schedule(Time.Between(0.001, 0.05), () => Agent.Handle(incident));
        }
    }
}
