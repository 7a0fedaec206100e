using RagAgent.Common;

namespace RagAgent.Supervision;

/// <summary>When an unused instance stops itself.</summary>
internal sealed record IdlePolicy
{
    // Time enough to read the notice and to come.
    private static readonly TimeSpan MaxNotice = TimeSpan.FromMinutes(2);

    /// <summary>Without activity for this long; null: not for that.</summary>
    public TimeSpan? StopAfter { get; init; }

    /// <summary>For want of activity not before the machine has been up for this long.</summary>
    public TimeSpan Grace { get; init; }

    /// <summary>The machine has been up for this long; null: not for that.</summary>
    public TimeSpan? MaxUptime { get; init; }

    /// <summary>When the machine started: before the agent, so on its time line below zero.</summary>
    public Moment BootedAt { get; init; }

    /// <summary>Activity is told at most this often: the last one told is older than the last one by less than this.</summary>
    public TimeSpan ActivityInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From the notice that nobody comes to the stop.</summary>
    public TimeSpan Notice => StopAfter < MaxNotice ? StopAfter.Value : MaxNotice;

    /// <summary>From the notice that the machine has been up for too long to the stop.</summary>
    public TimeSpan UptimeNotice { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long what is under way is waited for when the machine has been up for too long.</summary>
    public TimeSpan UptimeGrace { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How a stop that failed is asked for again.</summary>
    public Backoff Retry { get; init; } = new(TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(10));

    /// <summary>A machine whose stop was accepted and that still runs after this long is asked to stop again. EC2 itself ends one that does not shut down within minutes.</summary>
    public TimeSpan ShutdownDeadline { get; init; } = TimeSpan.FromMinutes(10);
}
