using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision;

/// <summary>Something that happened, and when. The time is part of the event, so no decision reads a clock.</summary>
internal abstract record Event(Moment At)
{
    /// <summary>Time passed. Sent when the state's next deadline is reached.</summary>
    public sealed record Tick(Moment At) : Event(At);

    public sealed record EngineInspected(Moment At, Inventory Inventory) : Event(At);
    public sealed record EngineFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>The engine reported a change. Only a hint: the inspection decides.</summary>
    public sealed record EngineChanged(Moment At) : Event(At);

    /// <summary>The engine's event stream broke. The engine may be restarting, and take containers with it.</summary>
    public sealed record EngineDisconnected(Moment At) : Event(At);

    /// <summary>Someone asked the engine to stop a container of ours. It may have been the agent itself.</summary>
    public sealed record ExternalStopRequested(Moment At, string ContainerId) : Event(At);

    public sealed record SecretsRead(Moment At, SecretVersions Versions) : Event(At);
    public sealed record SecretsFailed(Moment At, Problem Problem) : Event(At);
    public sealed record TagResolved(Moment At, Resolution Resolution) : Event(At);
    public sealed record TagFailed(Moment At, Problem Problem) : Event(At);
    public sealed record PullProgressed(Moment At, PullProgress Progress) : Event(At);
    public sealed record ImageReady(Moment At, FetchedImage Image) : Event(At);
    public sealed record ImageFailed(Moment At, Problem Problem) : Event(At);
    public sealed record FallbackReady(Moment At, ImageName Image) : Event(At);
    public sealed record FallbackFailed(Moment At, Problem Problem) : Event(At);
    public sealed record CleanupFinished(Moment At, ImageCleanupResult Result) : Event(At);
    public sealed record CleanupFailed(Moment At, Problem Problem) : Event(At);
    public sealed record StateSaved(Moment At, PersistedState Saved) : Event(At);
    public sealed record SaveFailed(Moment At, Problem Problem) : Event(At);

    public sealed record ContainerStarted(Moment At, long Operation, Container Container) : Event(At);
    public sealed record StartFailed(Moment At, long Operation, Problem Problem) : Event(At);
    public sealed record ContainerStopped(Moment At, long Operation) : Event(At);
    public sealed record StopFailed(Moment At, long Operation, Problem Problem) : Event(At);

    /// <param name="At">When the drain ended.</param>
    /// <param name="Operation">The drain's number.</param>
    /// <param name="Remaining">Requests and sessions that were still open when the time was up.</param>
    public sealed record Drained(Moment At, long Operation, int Remaining) : Event(At);

    /// <param name="At">When the probe ended.</param>
    /// <param name="Operation">The probe's number.</param>
    /// <param name="Result">The result.</param>
    public sealed record Probed(Moment At, long Operation, ProbeResult Result) : Event(At);

    /// <param name="At">When the container had been looked at.</param>
    /// <param name="Operation">The operation's number.</param>
    /// <param name="Ports">What it listens on; null: it could not be found out.</param>
    public sealed record PortsInspected(Moment At, long Operation, ContainerPorts? Ports) : Event(At);

    public sealed record FrontDoorOpened(Moment At) : Event(At);
    public sealed record FrontDoorFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>A session was opened, closed or used. Use alone is reported at most once in a while.</summary>
    public sealed record SessionsChanged(Moment At, OpenSessions Open) : Event(At);

    /// <summary>Someone uses the app. Sent at most once a second.</summary>
    public sealed record ActivitySeen(Moment At) : Event(At);

    /// <summary>EC2 accepted the stop of the instance.</summary>
    public sealed record InstanceStopAccepted(Moment At, string InstanceId) : Event(At);
    public sealed record InstanceStopFailed(Moment At, Problem Problem) : Event(At);

    /// <summary>An operator ran a command.</summary>
    public sealed record OperatorRequested(Moment At, RequestKind Kind) : Event(At);
}
