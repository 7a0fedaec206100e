using System.Collections.Immutable;
using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using Polly;
using Polly.Retry;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Secrets;
using RagAgent.Supervision;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;
using ContainerStatus = RagAgent.Supervision.State.ContainerStatus;

namespace RagAgent.Containers;

/// <summary>Creates, starts, stops and inspects the app's containers on Docker Engine.</summary>
internal sealed class DockerEngine(
    AgentConfig config,
    EngineConnection connection,
    ContainerLauncher launcher,
    SecretVault vault,
    ContainerOutput output,
    AppLogCollector appLogs,
    TimeProvider time,
    ILogger<DockerEngine> logger) : IEngine
{
    // How long a healthy engine may take under load, by the experience of other projects.
    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CreateTimeout = TimeSpan.FromSeconds(240);

    // The last lines usually arrive within milliseconds. A busy engine must not delay more important work.
    private static readonly TimeSpan LogFlushTimeoutOnExit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LogFlushTimeoutOnRemove = TimeSpan.FromSeconds(2);

    private readonly ContainerSpec _spec = new(config);
    private volatile string? _renamedContainerId;

    private string Name => config.Container.Name;

    /// <summary>The name of a candidate while another container still has the configured name.</summary>
    private string CandidateName => $"{Name}-next";

    public async Task<Inventory> InspectAsync(CancellationToken stopping)
    {
        var containers = ImmutableArray.CreateBuilder<Container>();
        var followedIds = appLogs.KnownContainerIds();
        var ids = await ListOwnIdsAsync(stopping);
        appLogs.Forget(followedIds.Except(ids));
        foreach (var id in ids)
        {
            if (await FindAsync(id, stopping) is { } container)
            {
                containers.Add(container);
            }
        }
        if (containers is [{ IsAlive: true } survivor] &&
            survivor.Name.StartsWith(CandidateName, StringComparison.Ordinal) &&
            survivor.Id != _renamedContainerId)
        {
            // The other container is gone, and an agent that was killed could not rename this one. Tried once: a container that isn't
            // ours may
            // have the name.
            _renamedContainerId = survivor.Id;
            await RenameAsync(survivor, stopping);
        }
        var version = await connection.EngineVersionAsync(stopping);
        return new Inventory(containers.ToImmutable(), version) { Images = await ListImagesAsync(stopping) };
    }

    public async Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping)
    {
        var release = start.Release;
        MountGuard.RequireMounted([.. VolumeFolders.Of(config.Container)]);
        var takenNames = await RemoveStoppedContainersAsync(start.Neighbor, stopping);
        var secrets = vault.Find(release.SecretsFingerprint)
            ?? throw new ProblemException(new Problem(ProblemCatalog.SecretsForgotten,
                "The secrets of this release are not in memory.", "The agent reads them again."));
        var image = await connection.CallAsync("inspect the image", InspectTimeout,
            (docker, token) => docker.Images.InspectImageAsync(release.Image.ToString(), token), stopping);
        // The serving container keeps its name until it is removed. Then the candidate is renamed.
        string[] names = [Name, CandidateName, $"{CandidateName}-2"];
        var freeName = names.FirstOrDefault(name => !takenNames.Contains(name)) ?? Name;
        var parameters = _spec.BuildCreateParameters(freeName, release, image, secrets);
        Labels.Annotate(parameters.Labels, start.LastGood, start.Avoided);
        var id = await CreateAsync(parameters, stopping);
        appLogs.FollowFromStart(id, release.SecretsFingerprint);
        try
        {
            await launcher.LaunchAsync(id, secrets, stopping);
            return await FindAsync(id, stopping)
                ?? throw new ProblemException(new Problem(ProblemCatalog.ContainerVanished,
                    $"The container {parameters.Name} disappeared right after its start.", ExceptionMapping.RetriesAutomatically));
        }
        catch
        {
            await TryRemoveAsync(id);
            throw;
        }
    }

    public async Task StopAsync(Container container, Container? successor, CancellationToken stopping)
    {
        _renamedContainerId = successor?.Id ?? _renamedContainerId;   // renamed below, so an inspection in between doesn't need to
        var grace = config.Container.StopTimeout;
        var stopParameters = new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) };
        await ContainerLauncher.IgnoreNotFoundAsync(() => connection.CallAsync("stop the container", grace + ContainerLauncher.RemoveTimeout,
            (docker, token) => docker.Containers.StopContainerAsync(container.Id, stopParameters, token), stopping));
        await appLogs.FlushAsync(container.Id, LogFlushTimeoutOnRemove, stopping);
        try
        {
            await launcher.RemoveAsync(container.Id, stopping);
        }
        catch (ProblemException exception) when (container.IsAlive && !exception.Problem.IsUnanswered)
        {
            logger.ContainerNotRemoved(container.ShortId, exception.Problem);   // it has stopped, and that is what matters
            return;
        }
        if (successor is not null && successor.Name != Name)
        {
            await RenameAsync(successor, stopping);
        }
    }

    private async Task RenameAsync(Container successor, CancellationToken stopping)
    {
        try
        {
            await connection.CallAsync("rename the container", InspectTimeout, (docker, token) =>
                docker.Containers.RenameContainerAsync(successor.Id, new ContainerRenameParameters { NewName = Name }, token), stopping);
        }
        catch (ProblemException exception)
        {
            // Not fatal: the label identifies the container, its name is for people.
            logger.RenameFailed(successor.ShortId, successor.Name, exception.Problem);
        }
    }

    private Task<IReadOnlySet<string>> ListImagesAsync(CancellationToken stopping) =>
        connection.CallAsync<IReadOnlySet<string>>("list its images", ListTimeout, async (docker, token) =>
        {
            var all = await docker.Images.ListImagesAsync(new ImagesListParameters(), token);
            return all.SelectMany(image => image.RepoDigests ?? []).Select(ImageReference.CanonicalName).ToHashSet(StringComparer.Ordinal);
        }, stopping);

    private Task<IReadOnlyList<string>> ListOwnIdsAsync(CancellationToken stopping) =>
        connection.CallAsync<IReadOnlyList<string>>("list its containers", ListTimeout, async (docker, token) =>
        {
            var label = new Dictionary<string, bool> { [$"{Labels.Name}={Name}"] = true };
            var filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = label };
            var all = await docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, token);
            return [.. all.Select(c => c.ID)];
        }, stopping);

    /// <returns>Null if the container is gone. It may have been removed since it was listed.</returns>
    private async Task<Container?> FindAsync(string id, CancellationToken stopping)
    {
        try
        {
            var inspected = await connection.CallAsync("inspect the container", InspectTimeout,
                (docker, token) => docker.Containers.InspectContainerAsync(id, token), stopping);
            appLogs.Observe(inspected);
            return Labels.ReadContainer(inspected, _spec.ContainerPort, await ReadExitAsync(inspected, stopping));
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return null;
        }
    }

    private async Task<ContainerExit?> ReadExitAsync(ContainerInspectResponse inspected, CancellationToken stopping)
    {
        if (inspected.State is not { } state || Labels.ParseStatus(state) is not (ContainerStatus.Exited or ContainerStatus.Dead))
        {
            return null;
        }
        await appLogs.FlushAsync(inspected.ID, LogFlushTimeoutOnExit, stopping);
        return new ContainerExit((int)state.ExitCode, state.OOMKilled, state.Error ?? "", await ReadOutputAsync(inspected, stopping));
    }

    /// <summary>The output can contain the container's secrets. It is not shown unless they can be removed from it.</summary>
    private async Task<IReadOnlyList<string>> ReadOutputAsync(ContainerInspectResponse inspected, CancellationToken stopping) =>
        config.Secrets.Count == 0 || (Labels.ReadSecretsFingerprint(inspected) is { } fingerprint && vault.Find(fingerprint) is not null)
            ? await output.LastLinesAsync(inspected.ID, stopping)
            : ["(output not shown: the agent no longer has this container's secrets and can't remove them from it; see 'docker logs')"];

    /// <returns>The names that are still taken: by the container to keep, and by containers that can't be removed.</returns>
    private async Task<IReadOnlyCollection<string>> RemoveStoppedContainersAsync(Container? keep, CancellationToken stopping)
    {
        var takenNames = new List<string>();
        foreach (var id in await ListOwnIdsAsync(stopping))
        {
            if (await FindAsync(id, stopping) is not { } container)
            {
                continue;
            }
            if (id == keep?.Id)
            {
                takenNames.Add(container.Name);
                continue;
            }
            if (container.IsAlive)
            {
                throw new ProblemException(new Problem(ProblemCatalog.ContainerAlive,
                    $"Another container of this agent, {container.ShortId}, is still running, so no second one was started.",
                    "The agent inspects it again."));
            }
            await appLogs.FlushAsync(id, LogFlushTimeoutOnRemove, stopping);
            try
            {
                await launcher.RemoveAsync(id, stopping);
            }
            catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
            {
                // It has stopped and does no harm. It also says nothing about the image that is about to start.
                logger.ContainerNotRemoved(container.ShortId, exception.Problem);
                takenNames.Add(container.Name);
            }
        }
        return takenNames;
    }

    private async Task<string> CreateAsync(CreateContainerParameters parameters, CancellationToken stopping)
    {
        // A name stays taken while the engine is still removing the container that had it.
        var retryWhileNameTaken = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<NameTakenException>(e => e.Holder is null),
                MaxRetryAttempts = 5,
                Delay = TimeSpan.FromMilliseconds(200),
                BackoffType = DelayBackoffType.Exponential,
            })
            .Build();
        try
        {
            return await retryWhileNameTaken.ExecuteAsync(async token => await TryCreateAsync(parameters, token), stopping);
        }
        catch (NameTakenException exception)
        {
            throw new ProblemException(exception.Holder is { } holder
                ? new Problem(ProblemCatalog.ContainerNameTaken,
                    $"The name {parameters.Name} is taken by the container {holder}, which RagAgent did not create.",
                    $"Rename or remove it ('docker rename {parameters.Name} other'), or set container.name in the configuration. " +
                    ExceptionMapping.RetriesAutomatically)
                : new Problem(ProblemCatalog.ContainerNameTaken,
                    $"The name {parameters.Name} is still taken by a container that is being removed.",
                    $"{ExceptionMapping.RetriesAutomatically} If the removal never finishes, run 'systemctl restart docker'."), exception);
        }
    }

    private async Task<string> TryCreateAsync(CreateContainerParameters parameters, CancellationToken stopping)
    {
        try
        {
            return await connection.CallAsync("create the container", CreateTimeout, async (docker, token) =>
                (await docker.Containers.CreateContainerAsync(parameters, token)).ID, stopping);
        }
        catch (ProblemException exception) when (exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.Conflict })
        {
            throw new NameTakenException(await FindNameHolderAsync(parameters.Name!, stopping), exception);
        }
    }

    private async Task<string?> FindNameHolderAsync(string name, CancellationToken stopping)
    {
        try
        {
            var holder = await connection.CallAsync("inspect the container", InspectTimeout,
                (docker, token) => docker.Containers.InspectContainerAsync(name, token), stopping);
            return Labels.ParseStatus(holder.State) == ContainerStatus.Removing ? null : holder.ID[..12];
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return null;
        }
    }

    private async Task TryRemoveAsync(string id)
    {
        try
        {
            await launcher.RemoveAsync(id, CancellationToken.None);
        }
        catch (ProblemException exception)
        {
            logger.ContainerNotRemoved(id[..12], exception.Problem);   // the next start removes it
        }
    }

    private sealed class NameTakenException(string? holder, Exception inner) : Exception("The container's name is taken.", inner)
    {
        /// <summary>The short ID of the container that has the name; null if it is gone or being removed.</summary>
        public string? Holder { get; } = holder;
    }
}
