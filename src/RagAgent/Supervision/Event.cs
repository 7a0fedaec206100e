namespace RagAgent.Supervision;

/// <summary>What happened, and when. The time is part of the fact: no decision reads a clock.</summary>
internal abstract record Event(Moment At)
{
    /// <summary>Time passed; sent when the next deadline of the state is reached.</summary>
    public sealed record Tick(Moment At) : Event(At);

    public sealed record EngineInspected(Moment At, Inventory Inventory) : Event(At);
    public sealed record EngineFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>The engine said that something changed: a hint to look, nothing more.</summary>
    public sealed record EngineStirred(Moment At) : Event(At);

    /// <summary>The engine's event stream broke: it may be restarting, and take containers with it.</summary>
    public sealed record EngineBroke(Moment At) : Event(At);

    /// <summary>Somebody asked the engine to stop a container of ours; it may have been the agent itself.</summary>
    public sealed record StopCalled(Moment At, string ContainerId) : Event(At);

    public sealed record SecretsRead(Moment At, SecretVersions Versions) : Event(At);
    public sealed record SecretsFailed(Moment At, Problem Problem) : Event(At);
    public sealed record TagResolved(Moment At, Resolution Resolution) : Event(At);
    public sealed record TagFailed(Moment At, Problem Problem) : Event(At);
    public sealed record PullProgressed(Moment At, PullProgress Progress) : Event(At);
    public sealed record ImageReady(Moment At, ImageOnDisk Image) : Event(At);
    public sealed record ImageFailed(Moment At, Problem Problem) : Event(At);
    public sealed record SpareReady(Moment At, ImageName Image) : Event(At);
    public sealed record SpareFailed(Moment At, Problem Problem) : Event(At);
    public sealed record ImagesCollected(Moment At, Collection Collection) : Event(At);
    public sealed record CollectFailed(Moment At, Problem Problem) : Event(At);
    public sealed record Remembered(Moment At, Memory Memory) : Event(At);
    public sealed record RememberFailed(Moment At, Problem Problem) : Event(At);

    public sealed record ContainerStarted(Moment At, long Op, Container Container) : Event(At);
    public sealed record StartFailed(Moment At, long Op, Problem Problem) : Event(At);
    public sealed record ContainerStopped(Moment At, long Op) : Event(At);
    public sealed record StopFailed(Moment At, long Op, Problem Problem) : Event(At);

    /// <param name="At">When.</param>
    /// <param name="Op">Of the drain.</param>
    /// <param name="Left">Requests and sessions that had not ended when the patience did.</param>
    public sealed record Drained(Moment At, long Op, int Left) : Event(At);

    /// <param name="At">When the answer was there.</param>
    /// <param name="Probe">The probe's number.</param>
    /// <param name="Result">What it found.</param>
    public sealed record Probed(Moment At, long Probe, ProbeResult Result) : Event(At);

    public sealed record DoorOpened(Moment At) : Event(At);
    public sealed record DoorFailed(Moment At, Problem Problem) : Event(At);
    public sealed record SessionsChanged(Moment At, int Open) : Event(At);

    /// <summary>Somebody uses the app; told at most once a second.</summary>
    public sealed record Visited(Moment At) : Event(At);

    /// <summary>EC2 stops the instance.</summary>
    public sealed record InstanceStops(Moment At, string InstanceId) : Event(At);
    public sealed record InstanceStopFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>An operator wants something.</summary>
    public sealed record Asked(Moment At, RequestKind Kind) : Event(At);
}
