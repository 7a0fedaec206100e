using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The state of a slot's container. docs/architecture.md draws the life cycle.</summary>
internal abstract record ContainerState
{
    /// <summary>The engine has not been inspected yet: a container of ours may run.</summary>
    public sealed record Unknown : ContainerState;

    /// <summary>No container. The next one starts as soon as everything it needs is there.</summary>
    public sealed record Absent : ContainerState;

    /// <summary>The engine is creating and starting a container.</summary>
    public sealed record Starting(long Operation, Release Release, Moment Since) : ContainerState;

    /// <summary>A container runs but is not ready yet.</summary>
    /// <param name="Container">The container.</param>
    /// <param name="Since">When it was started or adopted. The startup deadline runs from here.</param>
    /// <param name="Stage">The probe that it must pass next.</param>
    /// <param name="Probe">When the next probe is due, and which one is in flight.</param>
    /// <param name="LastError">Why the last probe failed; null when none has failed yet.</param>
    /// <param name="Adopted">It was found running, and may have been serving for long.</param>
    /// <param name="UnderPressure">The machine was under pressure during a failed probe: the deadline is twice as long.</param>
    public sealed record Probing(
        Container Container,
        Moment Since,
        ProbeKind Stage,
        ProbeSchedule Probe,
        string? LastError,
        bool Adopted,
        bool UnderPressure = false) : ContainerState
    {
        /// <summary>Nothing has been probed yet, and the first probe is due now.</summary>
        public static Probing Begin(Container container, Moment now, bool adopted) =>
            new(container, now, ProbeKind.Startup, new ProbeSchedule(now, InFlight: null), LastError: null, adopted);

        /// <summary>The HTTP status of the last failed probe; null when the app gave no HTTP answer.</summary>
        public int? LastHttpStatus { get; init; }

        /// <summary>The gate's sessions that failed; null when none has, or another probe has failed since.</summary>
        public SessionFailure? Session { get; init; }

        /// <summary>The look at its ports while nothing answers; null: none was needed yet.</summary>
        public PortSearch? Ports { get; init; }
    }

    /// <summary>It receives requests.</summary>
    /// <param name="Container">The container.</param>
    /// <param name="Since">When it became ready.</param>
    /// <param name="Failures">Failed liveness probes in a row; 0 means healthy.</param>
    /// <param name="Probe">When the next probe is due, and which one is in flight.</param>
    /// <param name="LastError">Why the last of these probes failed; null when it is healthy.</param>
    /// <param name="UnderPressure">The machine was under pressure during one of these probes: twice as many are allowed.</param>
    /// <param name="Adopted">It was found running, and may have been serving for longer.</param>
    public sealed record Serving(
        Container Container,
        Moment Since,
        int Failures,
        ProbeSchedule Probe,
        string? LastError,
        bool UnderPressure = false,
        bool Adopted = false) : ContainerState
    {
        /// <summary>When the first of these failures became known; null while it is healthy.</summary>
        public Moment? FailingSince { get; init; }

        /// <summary>Since when new clients do not reach it; null while they do. Open sessions are left alone.</summary>
        public Moment? UnreadySince { get; init; }

        /// <summary>What the gate learned from a session.</summary>
        public SessionReading Session { get; init; }

        /// <summary>Why the gate's session failed, though the container serves; null when it did not.</summary>
        public string? SessionError { get; init; }
    }

    /// <summary>Another container serves in its place. This one finishes its in-flight requests and sessions.</summary>
    public sealed record Draining(long Operation, Container Container) : ContainerState;

    /// <summary>It is being stopped and removed.</summary>
    public sealed record Stopping(long Operation, Container Container, StopReason Reason) : ContainerState;

    /// <summary>It ended or failed. The next start waits.</summary>
    /// <param name="Until">When the next start is due.</param>
    /// <param name="Cause">How it ended or which probe it failed.</param>
    public sealed record BackingOff(Moment Until, Failure Cause) : ContainerState;

    /// <summary>The container that may be writing to the volumes; null when there is none.</summary>
    public Container? Current => this switch
    {
        Probing probing => probing.Container,
        Serving serving => serving.Container,
        Stopping stopping => stopping.Container,
        Draining draining => draining.Container,
        _ => null,
    };
}
