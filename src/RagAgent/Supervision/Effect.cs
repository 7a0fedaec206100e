using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision;

/// <summary>
/// Something to do. Each effect ends in exactly one event; <see cref="FetchImage"/> also reports progress.
/// </summary>
internal abstract record Effect
{
    public sealed record InspectEngine : Effect;

    public sealed record ReadSecrets : Effect;

    public sealed record ResolveTag : Effect;

    /// <summary>Makes sure that the image is on disk: pulls what is missing.</summary>
    /// <param name="Resolution">The image.</param>
    /// <param name="Replace">The image on disk is broken: remove it first.</param>
    public sealed record FetchImage(Resolution Resolution, bool Replace) : Effect;

    /// <summary>Fetches a good image that is missing on disk or broken there.</summary>
    public sealed record FetchFallback(ImageName Image, bool Replace) : Effect;

    /// <summary>Removes old images from the disk.</summary>
    public sealed record CleanUpImages(ImmutableArray<ImageName> Keep) : Effect;

    /// <summary>
    /// Removes what is left of earlier containers of ours, creates one of the release, starts it and hands over its secrets.
    /// </summary>
    /// <param name="Operation">The operation's number.</param>
    /// <param name="Release">The release to start.</param>
    /// <param name="Neighbor">The only other container of ours that may be alive; null: none may.</param>
    /// <param name="LastGood">The last good image, for the label.</param>
    /// <param name="Avoided">The avoided image, for the label.</param>
    public sealed record StartContainer(
        long Operation,
        Release Release,
        Container? Neighbor,
        ImageName? LastGood,
        ImageName? Avoided) : Effect;

    /// <summary>Stops a container (SIGTERM, then SIGKILL after the stop timeout) and removes it.</summary>
    /// <param name="Operation">The operation's number.</param>
    /// <param name="Container">The container to stop.</param>
    /// <param name="Successor">The container that takes over its name; null: none.</param>
    /// <param name="FinishRequests">It was healthy until now: let it answer its in-flight requests first, for a limited time.</param>
    public sealed record StopContainer(long Operation, Container Container, Container? Successor, bool FinishRequests) : Effect;

    /// <summary>Waits until the container has no in-flight requests or sessions, for a limited time.</summary>
    public sealed record Drain(long Operation, Container Container) : Effect;

    /// <param name="Operation">The operation's number.</param>
    /// <param name="Kind">What to ask.</param>
    /// <param name="Container">The container to probe.</param>
    /// <param name="SessionLimit">Gate only: run a session of the app for at most this long; null: none.</param>
    public sealed record Probe(long Operation, ProbeKind Kind, Container Container, TimeSpan? SessionLimit = null) : Effect;

    /// <summary>Looks at what the container listens on.</summary>
    public sealed record InspectPorts(long Operation, Container Container) : Effect;

    /// <summary>Writes the state file.</summary>
    public sealed record SaveState(PersistedState State) : Effect;

    /// <summary>Asks EC2 to stop this instance.</summary>
    public sealed record StopInstance : Effect;
}
