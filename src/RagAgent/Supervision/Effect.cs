using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision;

/// <summary>What is to be done. Each reports back with exactly one event, except <see cref="FetchImage"/>, which also reports progress.</summary>
internal abstract record Effect
{
    public sealed record InspectEngine : Effect;

    public sealed record ReadSecrets : Effect;

    public sealed record ResolveTag : Effect;

    /// <summary>Makes sure that the image is on disk: pulls what is missing, nothing when all is there.</summary>
    /// <param name="Resolution">What to have.</param>
    /// <param name="Replace">What is on disk is broken and is replaced.</param>
    public sealed record FetchImage(Resolution Resolution, bool Replace) : Effect;

    /// <summary>Fetches a good image that somebody has removed from the disk, or that is broken there.</summary>
    public sealed record FetchFallback(ImageName Image, bool Replace) : Effect;

    /// <summary>Removes old images from the disk.</summary>
    public sealed record CleanUpImages(ImmutableArray<ImageName> Keep) : Effect;

    /// <summary>Removes what is left of earlier containers of ours, creates one of the release, starts it and hands over its secrets.</summary>
    /// <param name="Operation">Its number.</param>
    /// <param name="Release">What to start.</param>
    /// <param name="Neighbor">The only one of ours that may be alive meanwhile; null: none may.</param>
    /// <param name="LastGood">For its label.</param>
    /// <param name="Avoided">For its label.</param>
    public sealed record StartContainer(long Operation, Release Release, Container? Neighbor, ImageName? LastGood, ImageName? Avoided) : Effect;

    /// <summary>Stops (SIGTERM, then SIGKILL after the stop timeout) and removes it.</summary>
    /// <param name="Operation">Its number.</param>
    /// <param name="Container">The one to stop.</param>
    /// <param name="Successor">The one that gets its name; null: nobody.</param>
    /// <param name="FinishRequests">It was well until now: requests that it has are left to it for a moment.</param>
    public sealed record StopContainer(long Operation, Container Container, Container? Successor, bool FinishRequests) : Effect;

    /// <summary>Waits until visitors have nothing under way with it, for a bounded time.</summary>
    public sealed record Drain(long Operation, Container Container) : Effect;

    public sealed record Probe(long Operation, ProbeKind Kind, Container Container) : Effect;

    /// <summary>Writes down what has to outlive the process.</summary>
    public sealed record SaveState(PersistedState State) : Effect;

    /// <summary>Asks EC2 to stop this instance.</summary>
    public sealed record StopInstance : Effect;
}
