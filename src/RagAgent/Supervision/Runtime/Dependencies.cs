using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

// What the supervision asks of the rooms around it. Every method throws ProblemException for a failure that an operator
// can read, and OperationCanceledException only when its token fired.

/// <summary>The container engine.</summary>
internal interface IEngine
{
    Task<Inventory> InspectAsync(CancellationToken stopping);

    /// <summary>Creates, starts and hands over the secrets. What it made and could not start, it removes again.</summary>
    Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping);

    /// <summary>Returns when the container has ended and is gone, also when it was gone before. That one which ran can't be removed is no failure.</summary>
    /// <param name="container">The one to stop and remove.</param>
    /// <param name="successor">Gets the configured name, which may now be free; null: nobody. That it can't is no failure.</param>
    /// <param name="stopping">Ends the wait, not the stop.</param>
    Task StopAsync(Container container, Container? successor, CancellationToken stopping);
}

/// <summary>The registry and the images on disk.</summary>
internal interface IImages
{
    Task<Resolution> ResolveAsync(CancellationToken stopping);

    /// <param name="resolution">What to have on disk.</param>
    /// <param name="progress">Called from the pull's own thread; not throttled.</param>
    /// <param name="stopping">Ends the pull; some engines then drop the layers that are complete, too.</param>
    /// <param name="refresh">What is on disk turned out to be broken: it is removed first, but only once the registry has shown that it can be had again.</param>
    Task<FetchedImage> FetchAsync(Resolution resolution, bool refresh, Action<PullProgress> progress, CancellationToken stopping);

    /// <summary>Removes images of the app's repository from the disk, except those to keep and those that a container uses.</summary>
    Task<ImageCleanupResult> CleanUpAsync(IReadOnlyCollection<ImageName> keep, CancellationToken stopping);
}

/// <summary>What the agent remembers of its life before: the state file.</summary>
internal interface IStateStore
{
    /// <returns>What was written last; null when there is nothing or it can't be read: it is then rebuilt from the containers' labels.</returns>
    PersistedState? Load();

    /// <summary>Replaces what was written before, whole or not at all.</summary>
    Task SaveAsync(PersistedState memory, CancellationToken stopping);
}

/// <summary>The secrets; their values stay behind this.</summary>
internal interface ISecrets
{
    Task<SecretVersions> ReadAsync(CancellationToken stopping);
}

/// <summary>The machine that all of this runs on.</summary>
internal interface IInstanceControl
{
    /// <summary>Asks EC2 to stop it; it goes down soon after.</summary>
    /// <returns>Its id.</returns>
    Task<string> StopAsync(CancellationToken stopping);
}

/// <summary>Asks the app how it is.</summary>
internal interface IProber
{
    Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, CancellationToken stopping);
}
