namespace RagAgent.Supervision.State;

/// <summary>Why the agent stops a container.</summary>
internal abstract record StopReason
{
    /// <summary>Another release takes its place.</summary>
    public sealed record Replaced : StopReason;

    /// <summary>Too many liveness probes failed in a row.</summary>
    public sealed record Unhealthy(int Failures, string LastError) : StopReason;

    /// <summary>It was not ready before its deadline.</summary>
    public sealed record NeverHealthy(TimeSpan Deadline, string? LastError) : StopReason
    {
        /// <summary>The HTTP status of the last failed probe; null when the app gave no HTTP answer.</summary>
        public int? HttpStatus { get; init; }
    }

    /// <summary>The gate's sessions failed, and another image can run.</summary>
    public sealed record SessionFailed(string Error) : StopReason;

    /// <summary>Someone else restarted it, so it lacks its secrets, which only the agent hands over.</summary>
    public sealed record RestartedByOther : StopReason;

    /// <summary>A second container of ours was alive.</summary>
    public sealed record Stray : StopReason;

    /// <summary>It has ended while another one runs: left over from a crash of the agent or a failed trial.</summary>
    public sealed record LeftOver : StopReason;

    /// <summary>An operator stopped the app.</summary>
    public sealed record Requested : StopReason;

    /// <summary>Another container serves in its place, and this one has finished its requests.</summary>
    public sealed record Retired : StopReason;
}
