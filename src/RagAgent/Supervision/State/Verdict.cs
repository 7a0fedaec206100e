using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What is known of an image that has not proven itself.</summary>
/// <param name="Image">The image that it is about.</param>
internal abstract record Verdict(ImageName Image)
{
    /// <summary>It runs or is about to, and is watched.</summary>
    /// <param name="Image">The image that it is about.</param>
    /// <param name="Strikes">What it did wrong so far: three crashes, two liveness kills or one missed deadline end the trial.</param>
    /// <param name="Round">1, or 2 when it was tried before and nothing could be concluded.</param>
    public sealed record OnTrial(ImageName Image, int Strikes, int Round) : Verdict(Image);

    /// <summary>It failed, and the last good image was brought back. That one is watched: when it fails as well, the image may not be to blame.</summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">Its failure.</param>
    /// <param name="Strikes">Of the image that was brought back.</param>
    /// <param name="Round">Of the trial that failed.</param>
    /// <param name="ByOperator">An operator asked for it.</param>
    /// <param name="Inputs">The configuration and secrets that it failed with: with others it is tried again at once. Null: that is not known, or does not matter.</param>
    public sealed record RolledBack(ImageName Image, Problem Cause, int Strikes, int Round, bool ByOperator, string? Inputs) : Verdict(Image);

    /// <summary>It failed, and so did the last good one: the fault is somewhere else. The last good one is run; when it has proven itself, this one is tried once more.</summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">Its failure.</param>
    /// <param name="Round">Of the trial that failed.</param>
    /// <param name="Inputs">The configuration and secrets that both failed with: with others it is tried again at once. Null: that is not known.</param>
    public sealed record Undecided(ImageName Image, Problem Cause, int Round, string? Inputs) : Verdict(Image);

    /// <summary>It failed while the one before it serves well: it is not run again until the tag moves or an operator says so.</summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">Its failure.</param>
    public sealed record Quarantined(ImageName Image, Problem Cause) : Verdict(Image);

    /// <summary>The image is not run for now.</summary>
    public bool IsAvoided => this is not OnTrial;
}
