using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What is known about an image that has not passed its watch.</summary>
/// <param name="Image">The image.</param>
internal abstract record Verdict(ImageName Image)
{
    /// <summary>It runs or is about to, and is watched.</summary>
    /// <param name="Image">The image.</param>
    /// <param name="Strikes">Strikes so far. Six end the trial: three crashes, two liveness kills or one missed startup deadline.</param>
    /// <param name="Round">1, or 2 when it is tried again after an undecided trial.</param>
    public sealed record OnTrial(ImageName Image, int Strikes, int Round) : Verdict(Image);

    /// <summary>
    /// It failed, and the last good image was started again. That one is watched too: if it also fails, this image may not be to blame.
    /// </summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">How it failed.</param>
    /// <param name="Strikes">Strikes of the last good image.</param>
    /// <param name="Round">The round of the trial that failed.</param>
    /// <param name="ByOperator">An operator requested the rollback.</param>
    /// <param name="Inputs">
    /// The configuration and secrets that it failed with. If they change, it is tried again at once. Null: unknown, or irrelevant.
    /// </param>
    public sealed record RolledBack(
        ImageName Image,
        Problem Cause,
        int Strikes,
        int Round,
        bool ByOperator,
        string? Inputs) : Verdict(Image);

    /// <summary>
    /// It failed, and so did the last good image: the cause is somewhere else. The last good image runs. Once that has passed its watch,
    /// this image is tried once more.
    /// </summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">How it failed.</param>
    /// <param name="Round">The round of the trial that failed.</param>
    /// <param name="Inputs">
    /// The configuration and secrets that both failed with. If they change, it is tried again at once. Null: unknown.
    /// </param>
    public sealed record Undecided(ImageName Image, Problem Cause, int Round, string? Inputs) : Verdict(Image);

    /// <summary>
    /// It failed, and the image before it serves well. It is not run again until the tag moves or an operator releases it.
    /// </summary>
    /// <param name="Image">The image that failed.</param>
    /// <param name="Cause">How it failed.</param>
    public sealed record Quarantined(ImageName Image, Problem Cause) : Verdict(Image);

    /// <summary>The image is not run as long as there is another one.</summary>
    public bool IsAvoided => this is not OnTrial;
}
