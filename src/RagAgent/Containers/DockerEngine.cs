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

/// <summary>The container on the real engine.</summary>
internal sealed class DockerEngine(AgentConfig config, EngineConnection connection, SecretVault vault, ContainerOutput output, AppLogCollector appLogs, TimeProvider time, ILogger<DockerEngine> logger)
    : IEngine
{
    // How long an honest engine may take under load, by what others learned the hard way.
    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CreateTimeout = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromSeconds(60);

    // The last words are milliseconds away; an engine that is busy shall not hold up what matters more.
    private static readonly TimeSpan LogFlushTimeoutOnExit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LogFlushTimeoutOnRemove = TimeSpan.FromSeconds(2);

    private readonly ContainerSpec _spec = new(config);
    private volatile string? _renamedContainerId;

    private string Name => config.Container.Name;

    /// <summary>Of one that stands beside another that has the name.</summary>
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
        if (containers is [{ IsAlive: true } survivor] && survivor.Name.StartsWith(CandidateName, StringComparison.Ordinal) && survivor.Id != _renamedContainerId)
        {
            // The one that it stood beside is gone, and an agent that was killed had no time for this. Once: somebody else may hold the name.
            _renamedContainerId = survivor.Id;
            await RenameAsync(survivor, stopping);
        }
        return new Inventory(containers.ToImmutable(), await connection.EngineVersionAsync(stopping)) { Images = await ListImagesAsync(stopping) };
    }

    public async Task<Container> StartAsync(Effect.StartContainer start, CancellationToken stopping)
    {
        var release = start.Release;
        MountGuard.RequireMounted([.. VolumeFolders.Of(config.Container)]);
        var takenNames = await RemoveStoppedContainersAsync(start.Neighbor, stopping);
        var secrets = vault.Find(release.SecretsFingerprint)
            ?? throw new ProblemException(new Problem(ProblemCatalog.SecretsForgotten, "The secrets of this release are not in memory.", "They are read again."));
        var image = await connection.CallAsync("inspect the image", InspectTimeout,
            (docker, token) => docker.Images.InspectImageAsync(release.Image.ToString(), token), stopping);
        // One that serves keeps its name until it goes; the candidate beside it gets the name then.
        var parameters = _spec.BuildCreateParameters(new[] { Name, CandidateName, $"{CandidateName}-2" }.FirstOrDefault(name => !takenNames.Contains(name)) ?? Name, release, image, secrets);
        Labels.Annotate(parameters.Labels, start.LastGood, start.Avoided);
        var id = await CreateAsync(parameters, stopping);
        appLogs.FollowFromStart(id, release.SecretsFingerprint);
        try
        {
            var memorySecrets = secrets.Where(s => s.Delivery == SecretDelivery.Memory).ToArray();
            if (memorySecrets.Length > 0)
            {
                await RequireShellAsync(id, stopping);
                await StartWithStdinAsync(id, SecretHandover.BuildMessage(memorySecrets), stopping);
            }
            else
            {
                await StartAsync(id, stopping);
            }
            return await FindAsync(id, stopping)
                ?? throw new ProblemException(new Problem(ProblemCatalog.ContainerVanished, $"The container {parameters.Name} vanished right after its start.", ExceptionMapping.RetriesAutomatically));
        }
        catch
        {
            await TryRemoveAsync(id);
            throw;
        }
    }

    public async Task StopAsync(Container container, Container? successor, CancellationToken stopping)
    {
        _renamedContainerId = successor?.Id ?? _renamedContainerId;   // below; an inspection in between leaves it to this
        var grace = config.Container.StopTimeout;
        await IgnoreNotFoundAsync(() => connection.CallAsync("stop the container", grace + RemoveTimeout, (docker, token) =>
            docker.Containers.StopContainerAsync(container.Id, new ContainerStopParameters { WaitBeforeKillSeconds = (uint)Math.Ceiling(grace.TotalSeconds) }, token), stopping));
        await appLogs.FlushAsync(container.Id, LogFlushTimeoutOnRemove, stopping);
        try
        {
            await RemoveAsync(container.Id, stopping);
        }
        catch (ProblemException exception) when (container.IsAlive && !exception.Problem.IsUnanswered)
        {
            logger.ContainerNotRemoved(container.ShortId, exception.Problem);   // it has ended, and nothing waits for more
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
            logger.RenameFailed(successor.ShortId, successor.Name, exception.Problem);   // it is known by its label; the name is for people
        }
    }

    private Task<IReadOnlySet<string>> ListImagesAsync(CancellationToken stopping) =>
        connection.CallAsync<IReadOnlySet<string>>("list its images", ListTimeout, async (docker, token) =>
        {
            var all = await docker.Images.ListImagesAsync(new ImagesListParameters(), token);
            return all.SelectMany(image => image.RepoDigests ?? []).Select(CanonicalName).ToHashSet(StringComparer.Ordinal);
        }, stopping);

    /// <summary>With the registry's host, which the engine leaves out for Docker Hub's images, and their own library's path with it.</summary>
    internal static string CanonicalName(string image)
    {
        var slash = image.IndexOf('/');
        var first = slash < 0 ? "" : image[..slash];
        return slash < 0 ? $"docker.io/library/{image}"
            : first == "localhost" || first.AsSpan().ContainsAny('.', ':') ? image
            : $"docker.io/{image}";
    }

    private Task<IReadOnlyList<string>> ListOwnIdsAsync(CancellationToken stopping) =>
        connection.CallAsync<IReadOnlyList<string>>("list its containers", ListTimeout, async (docker, token) =>
        {
            var label = new Dictionary<string, bool> { [$"{Labels.Name}={Name}"] = true };
            var filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = label };
            var all = await docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, token);
            return [.. all.Select(c => c.ID)];
        }, stopping);

    /// <returns>Null when it is gone: between the list and the look it may have been removed.</returns>
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

    /// <summary>Output can hold the secrets that the container was given: what can't be scrubbed of them is not shown.</summary>
    private async Task<IReadOnlyList<string>> ReadOutputAsync(ContainerInspectResponse inspected, CancellationToken stopping) =>
        config.Secrets.Count == 0 || (Labels.ReadSecretsFingerprint(inspected) is { } fingerprint && vault.Find(fingerprint) is not null)
            ? await output.LastLinesAsync(inspected.ID, stopping)
            : ["(its output is not shown: the agent does not hold the secrets that it was given, see 'docker logs')"];

    /// <returns>The names of ours that are still taken: by the one that may stay, and by what can't be removed.</returns>
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
                throw new ProblemException(new Problem(ProblemCatalog.ContainerAlive, $"A container of ours, {container.ShortId}, is alive: a second one is not started beside it.",
                    "It is looked at again."));
            }
            await appLogs.FlushAsync(id, LogFlushTimeoutOnRemove, stopping);
            try
            {
                await RemoveAsync(id, stopping);
            }
            catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
            {
                // It has ended and harms nobody; least of all does it speak against the image that is to be started.
                logger.ContainerNotRemoved(container.ShortId, exception.Problem);
                takenNames.Add(container.Name);
            }
        }
        return takenNames;
    }

    private async Task<string> CreateAsync(CreateContainerParameters parameters, CancellationToken stopping)
    {
        // A name stays taken for a moment while the engine still removes its last holder.
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
                ? new Problem(ProblemCatalog.ContainerNameTaken, $"The name {parameters.Name} is taken by the container {holder}, which RagAgent did not create.",
                    $"Rename or remove it ('docker rename {parameters.Name} other'), or set container.name in the configuration; the agent tries again by itself.")
                : new Problem(ProblemCatalog.ContainerNameTaken, $"The name {parameters.Name} is still taken by a container that is being removed.",
                    "The agent tries again by itself; a removal that never ends is ended by 'systemctl restart docker'."), exception);
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

    /// <summary>Without a shell the engine's init would only say that it can't run a file, long after the start.</summary>
    private async Task RequireShellAsync(string id, CancellationToken stopping)
    {
        try
        {
            await connection.CallAsync("look into the container", InspectTimeout, (docker, token) =>
                docker.Containers.GetArchiveFromContainerAsync(id, new ContainerPathStatParameters { Path = SecretHandover.Entrypoint[0] }, true, token), stopping);
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImageWithoutShell,
                $"The image has no {SecretHandover.Entrypoint[0]}, so secrets can't be handed over through memory.",
                "Add a shell to the image, or set \"delivery\": \"environment\" for each secret (the engine then writes it to its disk)."), exception);
        }
        catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
        {
            // The engine can't even set its file system up, and says so without words here: the start says why.
        }
    }

    private Task<bool> StartAsync(string id, CancellationToken stopping) =>
        connection.CallAsync("start the container", StartTimeout, (docker, token) => docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token), stopping);

    private Task StartWithStdinAsync(string id, byte[] stdin, CancellationToken stopping) =>
        connection.CallAsync("start the container", StartTimeout, async (docker, token) =>
        {
            // Attached before the start: if the agent dies in between, the input ends and the container gives up by itself.
            using var stream = await docker.Containers.AttachContainerAsync(id, new ContainerAttachParameters { Stream = true, Stdin = true }, token);
            await docker.Containers.StartContainerAsync(id, new ContainerStartParameters(), token);
            await stream.WriteAsync(stdin, 0, stdin.Length, token);
            stream.CloseWrite();
        }, stopping);

    private Task RemoveAsync(string id, CancellationToken stopping) =>
        IgnoreNotFoundAsync(() => connection.CallAsync("remove the container", RemoveTimeout, (docker, token) =>
            docker.Containers.RemoveContainerAsync(id, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token), stopping));

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

    /// <summary>What is to go and is gone already, or is being removed by someone else, is no failure.</summary>
    private static async Task IgnoreNotFoundAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception) || exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.Conflict })
        {
            return;
        }
    }

    private sealed class NameTakenException(string? holder, Exception inner) : Exception("The container's name is taken.", inner)
    {
        /// <summary>Null: nobody any more, or one that is just going.</summary>
        public string? Holder { get; } = holder;
    }
}
