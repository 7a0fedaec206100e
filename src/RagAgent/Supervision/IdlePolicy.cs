using RagAgent.Common;

namespace RagAgent.Supervision;

/// <summary>When an unused instance stops itself.</summary>
internal sealed record IdlePolicy
{
    // Enough time to read the notice and react.
    private static readonly TimeSpan MaxNotice = TimeSpan.FromMinutes(2);

    /// <summary>Stop after this long without activity; null: never for this reason.</summary>
    public TimeSpan? StopAfter { get; init; }

    /// <summary>No stop for lack of activity before the machine has been up this long.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>Stop after this much uptime; null: never for this reason.</summary>
    public TimeSpan? MaxUptime { get; init; }

    /// <summary>When the machine booted. Before the agent started, so negative on its time line.</summary>
    public Moment BootedAt { get; init; }

    /// <summary>The shortest interval between two reports of activity: the last activity may be this much newer than its report.</summary>
    public TimeSpan ActivityInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From the idle notice to the stop.</summary>
    public TimeSpan Notice => StopAfter < MaxNotice ? StopAfter.Value : MaxNotice;

    /// <summary>From the uptime notice to the stop.</summary>
    public TimeSpan UptimeNotice { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a stop for uptime waits for work in progress.</summary>
    public TimeSpan UptimeGrace { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Delays between requests of a stop that failed.</summary>
    public Backoff Retry { get; init; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));

    /// <summary>
    /// If the machine still runs this long after EC2 accepted the stop, the stop is requested again. EC2 itself ends a machine that does
    /// not
    /// shut down within minutes.
    /// </summary>
    public TimeSpan ShutdownDeadline { get; init; } = TimeSpan.FromMinutes(10);
}
