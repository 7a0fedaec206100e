using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>What is to be done. Each reports back with exactly one event, except <see cref="EnsureImage"/>, which also reports progress.</summary>
internal abstract record Effect
{
    public sealed record InspectEngine : Effect;

    public sealed record ReadSecrets : Effect;

    public sealed record ResolveTag : Effect;

    /// <summary>Makes sure that the image is on disk: pulls what is missing, nothing when all is there.</summary>
    /// <param name="Resolution">What to have.</param>
    /// <param name="Anew">What is on disk is broken and is replaced.</param>
    public sealed record EnsureImage(Resolution Resolution, bool Anew) : Effect;

    /// <summary>Fetches a good image that somebody has removed from the disk, or that is broken there.</summary>
    public sealed record EnsureSpare(ImageName Image, bool Anew) : Effect;

    /// <summary>Removes old images from the disk.</summary>
    public sealed record Collect(ImmutableArray<ImageName> Keep) : Effect;

    /// <summary>Removes what is left of earlier containers of ours, creates one of the release, starts it and hands over its secrets.</summary>
    /// <param name="Op">Its number.</param>
    /// <param name="Release">What to start.</param>
    /// <param name="Beside">The only one of ours that may be alive meanwhile; null: none may.</param>
    /// <param name="LastGood">For its label.</param>
    /// <param name="Avoided">For its label.</param>
    public sealed record StartContainer(long Op, Release Release, Container? Beside, ImageName? LastGood, ImageName? Avoided) : Effect;

    /// <summary>Stops (SIGTERM, then SIGKILL after the stop timeout) and removes it.</summary>
    /// <param name="Op">Its number.</param>
    /// <param name="Container">The one to stop.</param>
    /// <param name="Heir">The one that gets its name; null: nobody.</param>
    /// <param name="IsUsed">It was well until now: requests that it has are left to it for a moment.</param>
    public sealed record StopContainer(long Op, Container Container, Container? Heir, bool IsUsed) : Effect;

    /// <summary>Waits until visitors have nothing under way with it, for a bounded time.</summary>
    public sealed record Drain(long Op, Container Container) : Effect;

    public sealed record Probe(long Number, ProbeKind Kind, Container Container) : Effect;

    /// <summary>Writes down what has to outlive the process.</summary>
    public sealed record Remember(Memory Memory) : Effect;

    /// <summary>Asks EC2 to stop this instance.</summary>
    public sealed record StopInstance : Effect;
}
