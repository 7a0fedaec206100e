using RagAgent.Supervision.State;

namespace RagAgent.Tests.Supervision.Simulation;

internal enum AppKind
{
    Good, NeverHealthy, FailsGate, Crashes, ExitsWithZero, Hangs, RunsOutOfMemory,
}

/// <summary>How the app of one image behaves.</summary>
/// <param name="Name">The image.</param>
/// <param name="Kind">How it goes wrong, or not.</param>
/// <param name="After">When it goes wrong, since its start.</param>
internal sealed record AppImage(ImageName Name, AppKind Kind, TimeSpan After);

/// <summary>A container in the engine, with what only the world knows of it.</summary>
internal sealed class Box(string id, string name, Release release, AppImage app, ImageName? lastGood, ImageName? avoided)
{
    public string Name { get; set; } = name;
    public bool IsSick { get; set; }
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
    public TimeSpan StopsUntil { get; set; }
    public ContainerExit? Exit { get; set; }
    public AppImage App => app;
    public bool IsAlive => Status is ContainerStatus.Running or ContainerStatus.Paused;

    public Container Show() => new(id, Name, release.Image, release.Id, release.ConfigFingerprint, Status, $"{StartedAt:c}#{Run}",
        IsAlive ? 40_000 : null, Exit)
    {
        LastGood = lastGood,
        Avoided = avoided,
    };

    public string? FaultAt(TimeSpan now, ProbeKind kind) => this switch
    {
        { Status: ContainerStatus.Paused } => "no answer",
        { IsAlive: false } => "connection refused",
        { App.Kind: AppKind.NeverHealthy } => "it answers 503",
        { App.Kind: AppKind.FailsGate } when kind == ProbeKind.Gate => "the script fails",
        { App.Kind: AppKind.Hangs } when now - StartedAt >= App.After => "no answer",
        _ when now - StartedAt < World.WarmUp => "connection refused",
        _ => null,
    };
}

/// <summary>The engine: containers that live and die, images on disk, and times at which it can't be reached.</summary>
internal sealed class SimulatedEngine(Timeline time, bool secretsSurviveRestart)
{
    private int _ids;

    public List<Box> Boxes { get; } = [];
    public HashSet<ImageName> Disk { get; } = [];

    /// <summary>On disk, but with a layer that can't be read.</summary>
    public HashSet<ImageName> Broken { get; } = [];

    /// <summary>Whether an app with these secrets can work at all.</summary>
    public Func<Release, bool> Works { get; set; } = _ => true;
    public TimeSpan DownUntil { get; set; }
    public bool IsUp => time.Now >= DownUntil;

    /// <summary>Something began, ended or went; the engine sends an event.</summary>
    public event Action? Stirred;

    /// <summary>Its event stream broke.</summary>
    public event Action? Broke;

    /// <summary>Somebody asked it to stop a container.</summary>
    public event Action<string>? StopCalled;

    public IEnumerable<Box> Alive => Boxes.Where(b => b.IsAlive);

    public Inventory Show() => new([.. Boxes.Select(b => b.Show())], "20.10") { Images = Disk.Select(image => image.ToString()).ToHashSet() };

    public Box? Find(string id) => Boxes.Find(b => b.Id == id);

    public Box Create(string name, Release release, AppImage app, ImageName? lastGood = null, ImageName? avoided = null)
    {
        var box = new Box($"box-{++_ids}", name, release, app, lastGood, avoided);
        Boxes.Add(box);
        return box;
    }

    public void Start(Box box, bool byHuman)
    {
        var run = ++box.Run;
        (box.Status, box.StartedAt, box.StartedByHuman, box.EndedByEngine, box.Exit) = (ContainerStatus.Running, time.Now, byHuman, false, null);
        box.HasSecrets &= secretsSurviveRestart;
        time.Tell(() => $"{box.Id} ({box.App.Kind}) runs");
        if (byHuman && !box.HasSecrets)
        {
            EndSoon(box);
        }
        if (!Works(box.Release))
        {
            time.In(TimeSpan.FromSeconds(2), () => EndRun(box, run, 1));
        }
        if (box.App.Kind is AppKind.Crashes or AppKind.ExitsWithZero or AppKind.RunsOutOfMemory)
        {
            var code = box.App.Kind switch { AppKind.Crashes => 1, AppKind.ExitsWithZero => 0, _ => 137 };
            time.In(box.App.After, () => EndRun(box, run, code));
        }
        Stirred?.Invoke();
    }

    /// <summary>As <c>docker stop</c> does; the agent's own stops are told like everybody's.</summary>
    public void Stop(Box box)
    {
        if (box.IsAlive)
        {
            End(box, 143);
            StopCalled?.Invoke(box.Id);
        }
    }

    /// <summary>An entry point that waits for its secrets in vain gives up.</summary>
    public void EndSoon(Box box)
    {
        var run = box.Run;
        time.In(TimeSpan.FromSeconds(1), () => EndRun(box, run, 97));
    }

    public void End(Box box, int code)
    {
        if (box.IsAlive)
        {
            box.Status = ContainerStatus.Exited;
            box.Exit = new ContainerExit(code, box.App.Kind == AppKind.RunsOutOfMemory && code == 137, "", []);
            time.Tell(() => $"{box.Id} ends with code {code}");
            Stirred?.Invoke();
        }
    }

    public void Remove(Box box)
    {
        End(box, 137);
        if (Boxes.Remove(box))
        {
            time.Tell(() => $"{box.Id} is removed");
            Stirred?.Invoke();
        }
    }

    /// <summary>It is out of reach at once, and what it ran lives on.</summary>
    public void GoDown(TimeSpan span)
    {
        DownUntil = time.Now + span;
        Broke?.Invoke();
    }

    /// <summary>It stops what it runs, tells of that as of any stop, and answers until it has.</summary>
    public void ShutDown(TimeSpan lingering, TimeSpan span)
    {
        EndAll();
        time.In(lingering, () =>
        {
            EndAll();
            GoDown(span);
        });
    }

    private void EndAll()
    {
        foreach (var box in Alive.ToArray())
        {
            box.EndedByEngine = true;
            Stop(box);
        }
    }

    private void EndRun(Box box, int run, int code)
    {
        if (box.Run == run && (code != 97 || !box.HasSecrets))
        {
            End(box, code);
        }
    }
}
