using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>Where the app's container stands. The life cycle is drawn in docs/architecture.md.</summary>
internal abstract record ContainerState
{
    /// <summary>The engine has not been asked yet: something of ours may run.</summary>
    public sealed record Unknown : ContainerState;

    /// <summary>Nothing of ours runs, and nothing stands in the way of a start but missing parts.</summary>
    public sealed record Absent : ContainerState;

    /// <summary>The engine is creating and starting a container.</summary>
    public sealed record Starting(long Operation, Release Release, Moment Since) : ContainerState;

    /// <summary>A container runs and has not proven itself yet.</summary>
    /// <param name="Container">The one that runs.</param>
    /// <param name="Since">When it was started or found.</param>
    /// <param name="Stage">What it must pass next.</param>
    /// <param name="Probe">The clock of its probes.</param>
    /// <param name="LastError">Why it is not well yet, in the prober's words.</param>
    /// <param name="Adopted">It was found running; it may have served visitors for long.</param>
    /// <param name="UnderPressure">The machine itself was short of something at least once: more patience is due.</param>
    public sealed record Probing(Container Container, Moment Since, ProbeKind Stage, ProbeSchedule Probe, string? LastError, bool Adopted, bool UnderPressure = false) : ContainerState;

    /// <summary>It serves visitors.</summary>
    /// <param name="Container">The one that serves.</param>
    /// <param name="Since">When it passed its gate.</param>
    /// <param name="Failures">Liveness probes that failed in a row: 0 is healthy.</param>
    /// <param name="Probe">The clock of its probes.</param>
    /// <param name="LastError">Of the last failed probe in this row.</param>
    /// <param name="UnderPressure">In this row the machine itself was short of something at least once: more patience is due.</param>
    /// <param name="Adopted">It was found running: it may have served for longer.</param>
    public sealed record Serving(Container Container, Moment Since, int Failures, ProbeSchedule Probe, string? LastError, bool UnderPressure = false, bool Adopted = false) : ContainerState;

    /// <summary>Another one serves in its place; what visitors have under way with it comes to its end.</summary>
    public sealed record Draining(long Operation, Container Container) : ContainerState;

    /// <summary>It is being stopped and removed.</summary>
    public sealed record Stopping(long Operation, Container Container, StopReason Reason) : ContainerState;

    /// <summary>It ended or failed; the next start waits.</summary>
    /// <param name="Until">When it is started again.</param>
    /// <param name="Cause">How it ended: exit code, signal or out of memory, or which probe it failed.</param>
    public sealed record BackingOff(Moment Until, Failure Cause) : ContainerState;

    /// <summary>The container that is or may be writing to the volumes.</summary>
    public Container? Current => this switch
    {
        Probing p => p.Container,
        Serving s => s.Container,
        Stopping s => s.Container,
        Draining d => d.Container,
        _ => null,
    };
}
