namespace RagAgent.Supervision.State;

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
