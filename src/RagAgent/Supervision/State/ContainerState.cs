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

/// <summary>There are two places for a container of ours.</summary>
internal enum Slot
{
    /// <summary>The one that visitors are brought to, or will be.</summary>
    Front,

    /// <summary>A candidate that has to prove itself first, one that is being drained, or a stray that has to go.</summary>
    Candidate,
}

internal enum ProbeKind
{
    /// <summary>Does it answer at all?</summary>
    Startup,

    /// <summary>May visitors meet it?</summary>
    Gate,

    /// <summary>Is it still well?</summary>
    Liveness,
}

/// <summary>What one probe found.</summary>
internal abstract record ProbeResult
{
    public sealed record Passed : ProbeResult;

    /// <param name="Error">Why it is not well, in few words.</param>
    /// <param name="UnderPressure">The machine itself is short of processor time, memory or disk: slowness is not the app's fault.</param>
    public sealed record Failed(string Error, bool UnderPressure) : ProbeResult;

    /// <summary>The prober itself could not ask: this says nothing about the app.</summary>
    public sealed record NotSent(string Error) : ProbeResult;
}

/// <param name="NextAt">When the next probe is due.</param>
/// <param name="InFlight">The number of the probe that is under way; null when none is. News of any other is dropped.</param>
internal readonly record struct ProbeSchedule(Moment NextAt, long? InFlight);

internal abstract record StopReason
{
    /// <summary>Another release takes its place.</summary>
    public sealed record Replaced : StopReason;

    /// <summary>Liveness failed too often in a row.</summary>
    public sealed record Unhealthy(int Failures, string LastError) : StopReason;

    /// <summary>It was not well before its deadline.</summary>
    public sealed record NeverHealthy(TimeSpan Deadline, string? LastError) : StopReason;

    /// <summary>Somebody else restarted it: its secrets, which only the agent hands over, are gone.</summary>
    public sealed record RestartedByOther : StopReason;

    /// <summary>A second container of ours was alive.</summary>
    public sealed record Stray : StopReason;

    /// <summary>It has ended while another one runs: a crash of the agent or a failed trial has left it there.</summary>
    public sealed record LeftOver : StopReason;

    /// <summary>An operator wants the app to be stopped.</summary>
    public sealed record Requested : StopReason;

    /// <summary>Another one serves in its place, and its visitors are done.</summary>
    public sealed record Retired : StopReason;
}
