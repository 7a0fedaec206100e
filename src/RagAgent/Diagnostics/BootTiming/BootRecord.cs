namespace RagAgent.Diagnostics.BootTiming;

/// <summary>What is reached on the way from the kernel to the app, mostly in this order.</summary>
internal enum BootMilestone
{
    /// <summary>The agent's process runs.</summary>
    Agent,

    /// <summary>AWS credentials were there.</summary>
    Credentials,

    /// <summary>The secrets were read.</summary>
    Secret,

    /// <summary>ECR gave a token.</summary>
    Token,

    /// <summary>The registry said what the tag means.</summary>
    Digest,

    /// <summary>The image was on disk.</summary>
    Pull,

    /// <summary>The container ran.</summary>
    Start,

    /// <summary>It passed its probes: the app serves.</summary>
    Healthy,
}

/// <summary>One life of the machine, and when it reached what.</summary>
/// <param name="Id">The kernel's, which no two lives share.</param>
/// <param name="StartedAt">The wall clock's reading when the kernel started.</param>
/// <param name="Steps">Since the kernel started. Of the agent's life that was the first to reach <see cref="BootMilestone.Healthy"/>, or of the last one.</param>
internal sealed record BootRecord(string Id, DateTimeOffset StartedAt, IReadOnlyDictionary<BootMilestone, TimeSpan> Steps)
{
    public bool IsComplete => Steps.ContainsKey(BootMilestone.Healthy);
}

/// <summary>The boots that are remembered.</summary>
internal interface IBootStore
{
    /// <summary>The newest first; none when there are none, or they can't be read.</summary>
    IReadOnlyList<BootRecord> Read();

    /// <summary>In place of all that were there.</summary>
    void Write(IReadOnlyList<BootRecord> boots);
}
