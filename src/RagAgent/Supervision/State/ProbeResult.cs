namespace RagAgent.Supervision.State;

/// <summary>The result of one probe.</summary>
internal abstract record ProbeResult
{
    public sealed record Passed : ProbeResult
    {
        public SessionReading Session { get; init; } = SessionReading.NotRun;
    }

    /// <param name="Error">Why the app is not healthy, in a few words.</param>
    /// <param name="UnderPressure">The machine itself is short of processor time, memory or disk: slowness is not the app's fault.</param>
    public sealed record Failed(string Error, bool UnderPressure) : ProbeResult
    {
        /// <summary>The status that the app answered with, such as 404; null when it gave no HTTP answer.</summary>
        public int? HttpStatus { get; init; }
    }

    /// <summary>The app answers, but the session that the gate ran failed: visitors would see an error or nothing.</summary>
    /// <param name="Error">Like the last line of a traceback. Scrubbed and safe to show.</param>
    /// <param name="IsFinal">The image lacks something: another session would fail in the same way.</param>
    public sealed record SessionFailed(string Error, bool IsFinal) : ProbeResult
    {
        /// <summary>The script does not compile, or can't import a module: no key and no data would change that.</summary>
        public bool IsOfTheImage { get; init; }
    }

    /// <summary>The prober itself could not send the probe, which says nothing about the app.</summary>
    public sealed record NotSent(string Error) : ProbeResult;
}
