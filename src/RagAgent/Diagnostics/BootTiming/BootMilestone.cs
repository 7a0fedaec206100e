namespace RagAgent.Diagnostics.BootTiming;

/// <summary>What is reached on the way from the kernel's start to a serving app, mostly in this order.</summary>
internal enum BootMilestone
{
    /// <summary>The agent's process runs.</summary>
    Agent,

    /// <summary>AWS credentials are available.</summary>
    Credentials,

    /// <summary>The secrets have been read.</summary>
    Secret,

    /// <summary>ECR has issued a token.</summary>
    Token,

    /// <summary>The tag has been resolved to a digest.</summary>
    Digest,

    /// <summary>The image is on disk.</summary>
    Pull,

    /// <summary>The container runs.</summary>
    Start,

    /// <summary>The container has passed its probes: the app serves.</summary>
    Healthy,
}
