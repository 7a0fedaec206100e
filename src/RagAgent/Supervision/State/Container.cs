namespace RagAgent.Supervision.State;

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
