using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>What is known about the images.</summary>
internal sealed record ImageHistory
{
    /// <summary>Images that passed their watch, the newest first; at most two.</summary>
    public ImmutableArray<ImageName> KnownGood { get; init; } = [];

    /// <summary>The verdict on an image that is newer than these; null: none.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>The fetch of a good image that is missing on disk or broken.</summary>
    public Fetched<ImageName> Fallback { get; init; } = Fetched<ImageName>.Idle;

    /// <summary>The cleanup of old images.</summary>
    public Fetched<ImageCleanupResult> Cleanup { get; init; } = Fetched<ImageCleanupResult>.Idle;

    /// <summary>
    /// Images that should be on disk and can't be started from there, until they are fetched again; the newest ones known, at most eight.
    /// </summary>
    public ImmutableArray<ImageDefect> Defects { get; init; } = [];

    /// <summary>The image of the last container that was started or found. It serves while the registry can't be reached.</summary>
    public ImageName? LastRun { get; init; }
}
