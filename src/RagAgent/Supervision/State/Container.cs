namespace RagAgent.Supervision.State;

internal enum ContainerStatus
{
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

/// <summary>A container of this agent as the engine described it at one moment.</summary>
/// <param name="Id">The engine's full id.</param>
/// <param name="Name">Without the leading slash.</param>
/// <param name="Image">From its labels; null when they are missing.</param>
/// <param name="ReleaseId">From its label; null when the label is missing.</param>
/// <param name="ConfigFingerprint">From its label.</param>
/// <param name="Status">Its state.</param>
/// <param name="StartedAt">The engine's text: an identity for one run of the container; its order tells which of two began later, and people are shown it as a time.</param>
/// <param name="HostPort">The loopback port that reaches the app; null when it does not run.</param>
/// <param name="Exit">How its last run ended; null while it runs.</param>
internal sealed record Container(
    string Id,
    string Name,
    ImageName? Image,
    string? ReleaseId,
    string? ConfigFingerprint,
    ContainerStatus Status,
    string StartedAt,
    int? HostPort,
    ContainerExit? Exit)
{
    /// <summary>From its label: the last good image when it was created, for an agent that has lost its memory.</summary>
    public ImageName? LastGood { get; init; }

    /// <summary>From its label: the image that was avoided when it was created.</summary>
    public ImageName? Avoided { get; init; }

    /// <summary>It may be writing to its volumes: nothing else may be started beside it.</summary>
    public bool IsAlive => Status is ContainerStatus.Running or ContainerStatus.Paused or ContainerStatus.Restarting;

    public string ShortId => Id.Length > 12 ? Id[..12] : Id;
}

/// <summary>How a run ended.</summary>
/// <param name="Code">The exit code; above 128 a signal, by the shells' convention.</param>
/// <param name="OutOfMemory">The kernel killed it for its memory.</param>
/// <param name="Error">The engine's own words when it could not run it; empty otherwise.</param>
/// <param name="LastLines">The end of its output, scrubbed of secrets; may be empty.</param>
internal sealed record ContainerExit(int Code, bool OutOfMemory, string Error, IReadOnlyList<string> LastLines)
{
    public bool Equals(ContainerExit? other) =>
        other is not null && Code == other.Code && OutOfMemory == other.OutOfMemory && Error == other.Error && LastLines.SequenceEqual(other.LastLines);

    public override int GetHashCode() => HashCode.Combine(Code, OutOfMemory, Error, LastLines.Count);

    public string Describe() => this switch
    {
        { OutOfMemory: true } => "was killed because it ran out of memory",
        { Code: 97 } => "did not receive its secrets",
        { Error.Length: > 0 } => $"could not run: {Error}",
        { Code: > 128 and < 193 } => $"was ended by signal {Code - 128}",
        { Code: 0 } => "exited by itself with code 0",
        _ => $"exited with code {Code}",
    };
}
