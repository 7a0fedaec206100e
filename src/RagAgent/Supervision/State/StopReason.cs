namespace RagAgent.Supervision.State;

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
