using RagAgent.Supervision.State;

namespace RagAgent.Tests.Simulation;

internal enum AppBehavior
{
    Good, NeverHealthy, FailsGate, Crashes, ExitsWithZero, Hangs, RunsOutOfMemory, PageLacksModule, PageThrows, DiesInSession,
}

/// <summary>How the app of one image behaves.</summary>
/// <param name="Name">The image.</param>
/// <param name="Behavior">How it goes wrong, or not.</param>
/// <param name="FailsAfter">When it goes wrong, since its start.</param>
internal sealed record AppImage(ImageName Name, AppBehavior Behavior, TimeSpan FailsAfter);

/// <summary>A container in the engine, with what only the world knows of it.</summary>
internal sealed class SimulatedContainer(string id, string name, Release release, AppImage app, ImageName? lastGood, ImageName? avoided)
{
    public string Name { get; set; } = name;
    public bool IsUnhealthy { get; set; }
    public string Id => id;
    public Release Release => release;
    public ContainerStatus Status { get; set; } = ContainerStatus.Created;
    public int Run { get; set; }
    public TimeSpan StartedAt { get; set; }
    public bool StartedByHuman { get; set; }
    public bool StoppedByHuman { get; set; }

    /// <summary>The engine stopped it in this run, because it went itself.</summary>
    public bool EndedByEngine { get; set; }
    public bool HasSecrets { get; set; }

    /// <summary>The engine carries out stops that it was asked for until then.</summary>
    public TimeSpan LateStopsUntil { get; set; }
    public ContainerExit? Exit { get; set; }
    public AppImage App => app;
    public bool IsAlive => Status is ContainerStatus.Running or ContainerStatus.Paused;

    public Container ToContainer() => new(id, Name, release.Image, release.Id, release.ConfigFingerprint, Status, $"{StartedAt:c}#{Run}",
        IsAlive ? 40_000 : null, Exit)
    {
        LastGood = lastGood,
        Avoided = avoided,
    };

    /// <summary>What a session of the gate would show; null: a page that works.</summary>
    public ProbeResult.SessionFailed? SessionFailure => App.Behavior switch
    {
        AppBehavior.PageLacksModule => new("ModuleNotFoundError: No module named 'x'", IsFinal: true),
        AppBehavior.PageThrows => new("KeyError: 'x'", IsFinal: false),
        AppBehavior.DiesInSession => new("the app closed the session", IsFinal: false),
        _ => null,
    };

    public string? ProbeFaultAt(TimeSpan now, ProbeKind kind) => this switch
    {
        { Status: ContainerStatus.Paused } => "no answer",
        { IsAlive: false } => "connection refused",
        { App.Behavior: AppBehavior.NeverHealthy } => "it answers 503",
        { App.Behavior: AppBehavior.FailsGate } when kind == ProbeKind.Gate => "the script fails",
        { App.Behavior: AppBehavior.Hangs } when now - StartedAt >= App.FailsAfter => "no answer",
        _ when now - StartedAt < World.WarmUp => "connection refused",
        _ => null,
    };
}

/// <summary>The engine: containers that live and die, images on disk, and times at which it can't be reached.</summary>
internal sealed class SimulatedEngine(VirtualTime time, bool secretsSurviveRestart)
{
    private int _ids;

    public List<SimulatedContainer> Containers { get; } = [];
    public HashSet<ImageName> ImagesOnDisk { get; } = [];

    /// <summary>On disk, but with a layer that can't be read.</summary>
    public HashSet<ImageName> CorruptImages { get; } = [];

    /// <summary>Whether an app with these secrets can work at all.</summary>
    public Func<Release, bool> SecretsWork { get; set; } = _ => true;
    public TimeSpan DownUntil { get; set; }
    public bool IsUp => time.Now >= DownUntil;

    /// <summary>Something began, ended or went; the engine sends an event.</summary>
    public event Action? Changed;

    /// <summary>Its event stream broke.</summary>
    public event Action? EventStreamBroke;

    /// <summary>Somebody asked it to stop a container.</summary>
    public event Action<string>? StopCalled;

    public IEnumerable<SimulatedContainer> RunningContainers => Containers.Where(container => container.IsAlive);

    public Inventory TakeInventory() =>
        new([.. Containers.Select(container => container.ToContainer())], "20.10") { Images = ImagesOnDisk.Select(image => image.ToString()).ToHashSet() };

    public SimulatedContainer? Find(string id) => Containers.Find(container => container.Id == id);

    public SimulatedContainer Create(string name, Release release, AppImage app, ImageName? lastGood = null, ImageName? avoided = null)
    {
        var container = new SimulatedContainer($"box-{++_ids}", name, release, app, lastGood, avoided);
        Containers.Add(container);
        return container;
    }

    public void Start(SimulatedContainer container, bool byHuman)
    {
        var run = ++container.Run;
        (container.Status, container.StartedAt, container.StartedByHuman, container.EndedByEngine, container.Exit) =
            (ContainerStatus.Running, time.Now, byHuman, false, null);
        container.HasSecrets &= secretsSurviveRestart;
        time.Log(() => $"{container.Id} ({container.App.Behavior}) runs");
        if (byHuman && !container.HasSecrets)
        {
            ExitSoon(container);
        }
        if (!SecretsWork(container.Release))
        {
            time.Schedule(TimeSpan.FromSeconds(2), () => ExitRun(container, run, 1));
        }
        if (container.App.Behavior is AppBehavior.Crashes or AppBehavior.ExitsWithZero or AppBehavior.RunsOutOfMemory)
        {
            var code = container.App.Behavior switch { AppBehavior.Crashes => 1, AppBehavior.ExitsWithZero => 0, _ => 137 };
            time.Schedule(container.App.FailsAfter, () => ExitRun(container, run, code));
        }
        Changed?.Invoke();
    }

    /// <summary>Like <c>docker stop</c>. The engine reports the agent's stops in the same way.</summary>
    public void Stop(SimulatedContainer container)
    {
        if (container.IsAlive)
        {
            Exit(container, 143);
            StopCalled?.Invoke(container.Id);
        }
    }

    /// <summary>An entry point that waits for its secrets in vain gives up.</summary>
    public void ExitSoon(SimulatedContainer container)
    {
        var run = container.Run;
        time.Schedule(TimeSpan.FromSeconds(1), () => ExitRun(container, run, 97));
    }

    public void Exit(SimulatedContainer container, int code)
    {
        if (container.IsAlive)
        {
            container.Status = ContainerStatus.Exited;
            container.Exit = new ContainerExit(code, container.App.Behavior == AppBehavior.RunsOutOfMemory && code == 137, "", []);
            time.Log(() => $"{container.Id} ends with code {code}");
            Changed?.Invoke();
        }
    }

    public void Remove(SimulatedContainer container)
    {
        Exit(container, 137);
        if (Containers.Remove(container))
        {
            time.Log(() => $"{container.Id} is removed");
            Changed?.Invoke();
        }
    }

    /// <summary>It is out of reach at once, and what it ran lives on.</summary>
    public void BecomeUnreachable(TimeSpan span)
    {
        DownUntil = time.Now + span;
        EventStreamBroke?.Invoke();
    }

    /// <summary>It stops what it runs, tells of that as of any stop, and answers until it has.</summary>
    public void ShutDown(TimeSpan lingering, TimeSpan span)
    {
        StopAll();
        time.Schedule(lingering, () =>
        {
            StopAll();
            BecomeUnreachable(span);
        });
    }

    private void StopAll()
    {
        foreach (var container in RunningContainers.ToArray())
        {
            container.EndedByEngine = true;
            Stop(container);
        }
    }

    public void ExitRun(SimulatedContainer container, int run, int code)
    {
        if (container.Run == run && (code != 97 || !container.HasSecrets))
        {
            Exit(container, code);
        }
    }
}
