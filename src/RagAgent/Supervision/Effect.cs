namespace RagAgent.Supervision;

/// <summary>What is to be done. Each reports back with exactly one event, except <see cref="EnsureImage"/>, which also reports progress.</summary>
internal abstract record Effect
{
    public sealed record InspectEngine : Effect;

    public sealed record ReadSecrets : Effect;

    public sealed record ResolveTag : Effect;

    /// <summary>Makes sure that the image is on disk: pulls what is missing, nothing when all is there.</summary>
    public sealed record EnsureImage(Resolution Resolution) : Effect;

    /// <summary>Removes what is left of earlier containers of ours, creates one of the release, starts it and hands over its secrets.</summary>
    public sealed record StartContainer(long Op, Release Release) : Effect;

    /// <summary>Stops (SIGTERM, then SIGKILL after the stop timeout) and removes it.</summary>
    public sealed record StopContainer(long Op, Container Container) : Effect;

    public sealed record Probe(long Number, ProbeKind Kind, Container Container) : Effect;
}
