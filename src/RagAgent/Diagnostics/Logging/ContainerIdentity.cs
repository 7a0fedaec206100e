namespace RagAgent.Diagnostics.Logging;

/// <summary>The container that a log belongs to.</summary>
internal sealed record ContainerIdentity(string Id, string Name)
{
    public string ShortId => Id[..Math.Min(12, Id.Length)];

    public override string ToString() => $"{Name} ({ShortId})";
}
