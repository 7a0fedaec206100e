using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Secrets;

namespace RagAgent.Containers;

/// <summary>Starts a created container and hands it its secrets, and removes a container.</summary>
internal sealed class ContainerLauncher(AgentConfig config, EngineConnection connection)
{
    // How long a healthy engine may take under load, by the experience of other projects.
    public static readonly TimeSpan RemoveTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);

    /// <exception cref="ProblemException">
    /// The engine could not start it, or the image can't get its secrets. The caller removes the container.
    /// </exception>
    public async Task LaunchAsync(string id, IReadOnlyList<LoadedSecret> secrets, CancellationToken stopping)
    {
        var memorySecrets = secrets.Where(s => s.Delivery == SecretDelivery.Memory).ToArray();
        if (memorySecrets.Length == 0)
        {
            await StartAsync(id, stopping);
            return;
        }
        await RequireShellAsync(id, stopping);
        await RequireFreeFolderAsync(id, stopping);
        await StartWithStdinAsync(id, SecretHandover.BuildMessage(memorySecrets, config.StreamlitSecretsFile), stopping);
    }

    /// <summary>Removes the container, alive or not, with its anonymous volumes. Not a failure if it is already gone.</summary>
    public Task RemoveAsync(string id, CancellationToken stopping) =>
        IgnoreNotFoundAsync(() => connection.CallAsync("remove the container", RemoveTimeout,
            (docker, token) => docker.Containers.RemoveContainerAsync(id, WithAnonymousVolumes(), token), stopping));

    public static ContainerRemoveParameters WithAnonymousVolumes() => new() { Force = true, RemoveVolumes = true };

    /// <summary>It is not a failure if the container is already gone, or if someone else is removing it.</summary>
    public static async Task IgnoreNotFoundAsync(Func<Task> call)
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
}
