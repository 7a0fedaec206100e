using RagAgent.Supervision;

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
    private TimeSpan _startsFailUntil, _startsFailHalfwayUntil, _stopsFailUntil;

    public World(History history, List<string>? journal)
    {
        Time = new Timeline(history.Luck, journal);
        Engine = new SimulatedEngine(Time, history.SecretsSurviveRestart);
        Rules = new Rules(this);
        _errands = new Errands(this);
        Agent = new SimulatedAgent(Time, _errands.Begin, Rules);
        _policy = history.Policy;
        Engine.Stirred += () => Hint();
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
    public bool IsSlow => Time.Now < _slowUntil;
    public bool IsIdle => !_errands.UnderWay.Any();

    public AppImage AppOf(ImageName name) =>
        _images.Find(i => i.Name == name) ?? throw new InvalidOperationException($"Nobody pushed {name}.");

    public void Boot() => Agent.Boot(_policy);

    public void Take(Turn turn)
    {
        Time.RunTo(Time.Now + turn.After);
        Time.Tell(() => $"---- {turn.What} ({turn.Seconds}s)");
        var until = Time.Now + TimeSpan.FromSeconds(turn.Seconds);
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
            case Happening.AskUpdate: Agent.Hear(at => new Event.Asked(at, RequestKind.Update)); break;
            case Happening.OpenSessions: SetSessions(turn.Seconds + 1); break;
            case Happening.CloseSessions: SetSessions(0); break;
            case Happening.EngineDown: Engine.GoDown(until - Time.Now, killing: false); break;
            case Happening.EngineRestart: Engine.GoDown(until - Time.Now, killing: true); break;
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
        _registryDownUntil = _secretsDownUntil = _pullsFailUntil = _slowUntil = Time.Now;
        _startsFailUntil = _startsFailHalfwayUntil = _stopsFailUntil = Time.Now;
        Engine.DownUntil = Time.Now;
        if (Tag.Kind != AppKind.Good)
        {
            Push(AppKind.Good, 0);
        }
        if (!Agent.IsAlive)
        {
            Boot();
        }
        SetSessions(0);
        if (_policy.CheckEvery is null)
        {
            Agent.Hear(at => new Event.Asked(at, RequestKind.Update));
        }
    }

    /// <summary>The newest image, and nothing else of ours, runs well, and the agent sees it so.</summary>
    public bool Serves =>
        Agent.State is { App: App.Serving { Failures: 0 } serving, Request: null } &&
        Engine.Alive.Take(2).ToArray() is [var box] && box.Show() == serving.Container &&
        box.App == Tag && box.Release.ConfigFingerprint == _policy.ConfigFingerprint && box.FaultAt(Time.Now, ProbeKind.Liveness) is null;

    /// <summary>It serves, and the agent has read all that there is to know: nothing that it will learn can change its mind.</summary>
    public bool IsSettled =>
        Serves && Agent.State is { Secrets.Work: Work.Idle, Tag: { Work: Work.Idle, Value.Image: var known } } && known == Tag.Name &&
        Engine.Alive.First().Release.SecretsFingerprint == Agent.State.Secrets.Value?.Fingerprint;

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
            case Happening.HumanStop when alive is not null: Engine.End(alive, 143); break;
            case Happening.HumanKill when alive is not null: Engine.End(alive, 137); break;
            case Happening.HumanRemove when Engine.Boxes.Count > 0: Engine.Remove(Engine.Boxes[0]); break;
            case Happening.HumanRestart when alive is not null:
                Engine.End(alive, 143);
                Engine.Start(alive, byHuman: true);
                break;
            case Happening.HumanStart when ended is not null: Engine.Start(ended, byHuman: true); break;
            case Happening.HumanPause when alive is not null: alive.Status = ContainerStatus.Paused; break;
            case Happening.HumanRunsSecond when Engine.Alive.Count() < 2 && alive is not null:
                var second = Engine.Create(alive.Release, alive.App);
                second.HasSecrets = true;
                Engine.Start(second, byHuman: true);
                second.HasSecrets = true;
                break;
            case Happening.HumanRemovesImage when Engine.Alive.All(b => b.App != Tag): Engine.Disk.Remove(Tag.Name.Digest); break;
            case Happening.HumanPrunes:
                foreach (var box in Engine.Boxes.Where(b => !b.IsAlive).ToArray())
                {
                    Engine.Remove(box);
                }
                break;
        }
    }

    /// <summary>The engine's event: mostly it comes, at times it is lost or comes twice.</summary>
    private void Hint()
    {
        var times = Time.Chance(0.2) ? 0 : Time.Chance(0.1) ? 2 : 1;
        for (var i = 0; i < times; i++)
        {
            Time.In(Time.Between(0.001, 0.05), () => Agent.Hear(at => new Event.EngineStirred(at)));
        }
    }
}
