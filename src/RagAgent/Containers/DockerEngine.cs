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
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromSeconds(60);

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
            var memorySecrets = secrets.Where(s => s.Delivery == SecretDelivery.Memory).ToArray();
            if (memorySecrets.Length > 0)
            {
                await RequireShellAsync(id, stopping);
                await RequireFreeFolderAsync(id, stopping);
                await StartWithStdinAsync(id, SecretHandover.BuildMessage(memorySecrets, config.StreamlitSecretsFile), stopping);
            }
            else
            {
                await StartAsync(id, stopping);
            }
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
        await IgnoreNotFoundAsync(() => connection.CallAsync("stop the container", grace + RemoveTimeout,
            (docker, token) => docker.Containers.StopContainerAsync(container.Id, stopParameters, token), stopping));
        await appLogs.FlushAsync(container.Id, LogFlushTimeoutOnRemove, stopping);
        try
        {
            await RemoveAsync(container.Id, stopping);
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
                await RemoveAsync(id, stopping);
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

    /// <summary>Without a shell, the engine's init would only report that it can't run a file, long after the start.</summary>
    private async Task RequireShellAsync(string id, CancellationToken stopping)
    {
        var shell = SecretHandover.Entrypoint[0];
        if (await HasPathAsync("look for a shell in the container", id, shell, stopping) is false)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImageWithoutShell,
                $"The image has no {shell}, so secrets can't be passed through memory.",
                config.SecretsFolder is null
                    ? "Add a shell to the image, or set \"delivery\": \"environment\" for each secret (the engine then stores it on disk)."
                    : "Add a shell to the image: secrets in files need one."));
        }
    }

    /// <summary>The folder in memory would hide the image's. Over an existing one, some engines don't let the app's user write.</summary>
    private async Task RequireFreeFolderAsync(string id, CancellationToken stopping)
    {
        if (config.SecretsFolder is { } folder && await HasPathAsync("look for the folder of the secrets", id, folder, stopping) is true)
        {
            throw new ProblemException(new Problem(ProblemCatalog.SecretsFolderTaken,
                $"The image already has {folder}, which the folder with the secrets would hide.",
                "Set secrets.NAME.path to a file in a folder that the image doesn't have, like /run/secrets, or remove the folder from the image."));
        }
    }

    /// <returns>Null: unknown. The engine can't set up the container's file system and gives no reason here. The start will.</returns>
    private async Task<bool?> HasPathAsync(string purpose, string id, string path, CancellationToken stopping)
    {
        try
        {
            await connection.CallAsync(purpose, InspectTimeout, (docker, token) =>
                docker.Containers.GetArchiveFromContainerAsync(id, new ContainerPathStatParameters { Path = path }, true, token), stopping);
            return true;
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            return false;
        }
        catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
        {
            return null;
        }
    }

    private Task<bool> StartAsync(string id, CancellationToken stopping) =>
        connection.CallAsync("start the container", StartTimeout,
            (docker, token) => docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token), stopping);

    private Task StartWithStdinAsync(string id, byte[] stdin, CancellationToken stopping) =>
        connection.CallAsync("start the container", StartTimeout, async (docker, token) =>
        {
            // Attached before the start: if the agent dies in between, the input ends and the container exits.
            var attach = new ContainerAttachParameters { Stream = true, Stdin = true };
            using var stream = await docker.Containers.AttachContainerAsync(id, attach, token);
            await docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token);
            await stream.WriteAsync(stdin, 0, stdin.Length, token);
            stream.CloseWrite();
        }, stopping);

    private Task RemoveAsync(string id, CancellationToken stopping) =>
        IgnoreNotFoundAsync(() => connection.CallAsync("remove the container", RemoveTimeout,
            (docker, token) => docker.Containers.RemoveContainerAsync(id, WithAnonymousVolumes(), token), stopping));

    private static ContainerRemoveParameters WithAnonymousVolumes() => new() { Force = true, RemoveVolumes = true };

    private async Task TryRemoveAsync(string id)
    {
        try
        {
            await RemoveAsync(id, CancellationToken.None);
        }
        catch (ProblemException exception)
        {
            logger.ContainerNotRemoved(id[..12], exception.Problem);   // the next start removes it
        }
    }

    /// <summary>It is not a failure if the container is already gone, or if someone else is removing it.</summary>
    private static async Task IgnoreNotFoundAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ProblemException exception) when (
            EngineProblems.IsNotFound(exception) || exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.Conflict })
        {
            return;
        }
    }

    private sealed class NameTakenException(string? holder, Exception inner) : Exception("The container's name is taken.", inner)
    {
        /// <summary>The short ID of the container that has the name; null if it is gone or being removed.</summary>
        public string? Holder { get; } = holder;
    }
}
