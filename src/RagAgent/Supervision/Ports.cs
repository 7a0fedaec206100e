namespace RagAgent.Supervision;

// What the supervision asks of the rooms around it. Every method throws ProblemException for a failure that an operator
// can read, and OperationCanceledException only when its token fired.

/// <summary>The container engine.</summary>
internal interface IEngine
{
    Task<Inventory> InspectAsync(CancellationToken stopping);

    /// <summary>Creates, starts and hands over the secrets. What it made and could not start, it removes again.</summary>
    Task<Container> StartAsync(Release release, CancellationToken stopping);

    /// <summary>Returns when the container is gone, also when it was gone before.</summary>
    Task StopAsync(Container container, CancellationToken stopping);
}

/// <summary>The registry and the images on disk.</summary>
internal interface IImages
{
    Task<Resolution> ResolveAsync(CancellationToken stopping);

    /// <param name="resolution">What to have on disk.</param>
    /// <param name="progress">Called from the pull's own thread; not throttled.</param>
    /// <param name="stopping">Ends the pull; layers that are complete stay.</param>
    Task<ImageOnDisk> EnsureAsync(Resolution resolution, Action<PullProgress> progress, CancellationToken stopping);
}

/// <summary>The secrets; their values stay behind this.</summary>
internal interface ISecrets
{
    Task<SecretVersions> ReadAsync(CancellationToken stopping);
}

/// <summary>Asks the app how it is.</summary>
internal interface IProber
{
    /// <returns>Why it is not well, in few words; null when it is.</returns>
    Task<string?> FindFaultAsync(ProbeKind kind, Container container, CancellationToken stopping);
}
