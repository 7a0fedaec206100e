namespace RagAgent.Supervision;

/// <summary>What happened, and when. The time is part of the fact: no decision reads a clock.</summary>
internal abstract record Event(Moment At)
{
    /// <summary>Time passed; sent when the next deadline of the state is reached.</summary>
    public sealed record Tick(Moment At) : Event(At);

    public sealed record EngineInspected(Moment At, Inventory Inventory) : Event(At);
    public sealed record EngineFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>The engine said that something changed, or its event stream broke: a hint to look, nothing more.</summary>
    public sealed record EngineStirred(Moment At) : Event(At);

    public sealed record SecretsRead(Moment At, SecretVersions Versions) : Event(At);
    public sealed record SecretsFailed(Moment At, Problem Problem) : Event(At);
    public sealed record TagResolved(Moment At, Resolution Resolution) : Event(At);
    public sealed record TagFailed(Moment At, Problem Problem) : Event(At);
    public sealed record PullProgressed(Moment At, PullProgress Progress) : Event(At);
    public sealed record ImageReady(Moment At, ImageOnDisk Image) : Event(At);
    public sealed record ImageFailed(Moment At, Problem Problem) : Event(At);

    public sealed record ContainerStarted(Moment At, long Op, Container Container) : Event(At);
    public sealed record StartFailed(Moment At, long Op, Problem Problem) : Event(At);
    public sealed record ContainerStopped(Moment At, long Op) : Event(At);
    public sealed record StopFailed(Moment At, long Op, Problem Problem) : Event(At);

    /// <param name="At">When the answer was there.</param>
    /// <param name="Probe">The probe's number.</param>
    /// <param name="Result">What it found.</param>
    public sealed record Probed(Moment At, long Probe, ProbeResult Result) : Event(At);

    public sealed record DoorOpened(Moment At) : Event(At);
    public sealed record DoorFailed(Moment At, Problem Problem) : Event(At);
    public sealed record SessionsChanged(Moment At, int Open) : Event(At);
    public sealed record UpdateAsked(Moment At) : Event(At);
}
