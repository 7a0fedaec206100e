namespace RagAgent.Supervision.State;

/// <summary>A container of this agent as the engine described it at one moment.</summary>
/// <param name="Id">The engine's full id.</param>
/// <param name="Name">Without the leading slash.</param>
/// <param name="Image">The image in its labels; null when they are missing.</param>
/// <param name="ReleaseId">The release in its label; null when the label is missing.</param>
/// <param name="ConfigFingerprint">The fingerprint in its label; null when the label is missing.</param>
/// <param name="Status">Its state.</param>
/// <param name="StartedAt">The engine's timestamp. It identifies one run, and its text order is the order in time.</param>
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
    /// <summary>From its label: the last good image when it was created, for an agent that lost its state file.</summary>
    public ImageName? LastGood { get; init; }

    /// <summary>From its label: the image that was avoided when it was created.</summary>
    public ImageName? Avoided { get; init; }

    /// <summary>It may be writing to its volumes.</summary>
    public bool IsAlive => Status is ContainerStatus.Running or ContainerStatus.Paused or ContainerStatus.Restarting;

    public string ShortId => Id.Length > 12 ? Id[..12] : Id;
}
