using System.Collections.Immutable;

namespace RagAgent.Supervision.State;

/// <summary>Images that were tried, and what is known about each.</summary>
internal sealed record ImageHistory
{
    /// <summary>Images that have proven themselves, the newest first; at most two.</summary>
    public ImmutableArray<ImageName> KnownGood { get; init; } = [];

    /// <summary>What is known of the image that is newer than these.</summary>
    public Verdict? Verdict { get; init; }

    /// <summary>The image to go back to, when it has to be fetched because somebody removed it.</summary>
    public Fetched<ImageName> Fallback { get; init; } = Fetched<ImageName>.Idle;

    /// <summary>The removal of old images.</summary>
    public Fetched<ImageCleanupResult> Cleanup { get; init; } = Fetched<ImageCleanupResult>.Idle;

    /// <summary>Images that should be on disk and can't be started from there, until they are fetched again; the newest ones known, at most eight.</summary>
    public ImmutableArray<Defect> Defects { get; init; } = [];

    /// <summary>Of the last container that was seen or started: what serves when the registry is out of reach.</summary>
    public ImageName? LastRun { get; init; }
}
