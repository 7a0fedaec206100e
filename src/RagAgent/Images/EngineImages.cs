using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Containers;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Finds, lists, tags and removes the images on the engine's disk.</summary>
internal sealed class EngineImages(EngineConnection connection)
{
    private const string TestContainerLabel = "ragagent.trial";
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CreateTimeout = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromMinutes(5);   // gigabytes of small files

    /// <returns>Null if the image is not on disk.</returns>
    /// <exception cref="ProblemException">Also if the image is on disk but corrupt.</exception>
    public async Task<InspectedImage?> FindAsync(string reference, CancellationToken stopping)
    {
        try
        {
            var inspected = await connection.CallAsync("look for the image", InspectTimeout,
                (docker, token) => docker.Images.InspectImageAsync(reference, token), stopping);
            return new InspectedImage(new Platform(inspected.Os, inspected.Architecture), [.. inspected.RootFS?.Layers ?? []]);
        }
        catch (ProblemException exception) when (IsNotFound(exception))
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken stopping)
    {
        var all = await connection.CallAsync("list its images", ListTimeout,
            (docker, token) => docker.Images.ListImagesAsync(new ImagesListParameters(), token), stopping);
        return [.. all.Select(image => new LocalImage(image.ID, [.. image.RepoTags ?? []], [.. image.RepoDigests ?? []], image.Size))];
    }

    /// <summary>The layers of each image; empty for a corrupt one.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<string>>> LayersAsync(IReadOnlyList<LocalImage> images, CancellationToken stopping)
    {
        var layers = new List<IReadOnlyList<string>>();
        foreach (var image in images)
        {
            layers.Add(await LayersOfAsync(image, stopping) ?? []);
        }
        return layers;
    }

    /// <returns>Null if the image is gone or corrupt.</returns>
    public async Task<IReadOnlyList<string>?> LayersOfAsync(LocalImage image, CancellationToken stopping)
    {
        try
        {
            return (await FindAsync(image.Id, stopping))?.Layers;
        }
        catch (ProblemException exception) when (!exception.Problem.IsUnanswered)
        {
            return null;
        }
    }

    /// <summary>Tags the image, for people and so that pruning of untagged images keeps it.</summary>
    public Task TagAsync(ImageName image, string tag, CancellationToken stopping)
    {
        var parameters = new ImageTagParameters { RepositoryName = image.Repository, Tag = tag };
        return connection.CallAsync("tag the image", InspectTimeout,
            (docker, token) => docker.Images.TagImageAsync(image.ToString(), parameters, token), stopping);
    }

    /// <summary>Removes a name, and the image if it was its last name. It is not a failure if the name is already gone.</summary>
    /// <param name="name">A reference or an ID.</param>
    /// <param name="force">With an ID: removes all its names, even if a stopped container uses the image.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <returns>Whether the image itself was removed.</returns>
    public async Task<bool> RemoveAsync(string name, bool force, CancellationToken stopping)
    {
        try
        {
            var deleted = await connection.CallAsync("remove the image", RemoveTimeout,
                (docker, token) => docker.Images.DeleteImageAsync(name, new ImageDeleteParameters { Force = force }, token), stopping);
            return deleted.Any(step => step.ContainsKey("Deleted"));
        }
        catch (ProblemException exception) when (IsNotFound(exception))
        {
            return false;
        }
    }

    /// <summary>All containers, including those of others. Leftovers of <see cref="IsIntactAsync"/> are removed first.</summary>
    public async Task<IReadOnlyList<ContainerUsingImage>> ListContainersAsync(CancellationToken stopping)
    {
        await RemoveTestContainersAsync(stopping);
        return [.. (await ListContainersByLabelAsync(null, stopping)).Select(container => new ContainerUsingImage(
            container.ID,
            container.ImageID,
            container.Labels is { } labels && labels.TryGetValue(Labels.Name, out var name) ? name : null,
            container.State is not ("created" or "exited" or "dead")))];
    }

    public async Task RemoveContainerAsync(string id, CancellationToken stopping)
    {
        try
        {
            var parameters = new ContainerRemoveParameters { Force = true, RemoveVolumes = true };
            await connection.CallAsync("remove the container", ListTimeout,
                (docker, token) => docker.Containers.RemoveContainerAsync(id, parameters, token), stopping);
        }
        catch (ProblemException exception) when (IsNotFound(exception))
        {
            return;   // someone else removed it
        }
    }

    /// <summary>
    /// Tests whether a container can be created from the image. The engine then assembles all its layers, but runs nothing.
    /// </summary>
    public async Task<bool> IsIntactAsync(string reference, CancellationToken stopping)
    {
        try
        {
            var parameters = new CreateContainerParameters
            {
                Image = reference,
                Cmd = ["true"],
                Labels = new Dictionary<string, string> { [TestContainerLabel] = "" },
            };
            var id = await connection.CallAsync("create a container to test the image", CreateTimeout,
                async (docker, token) => (await docker.Containers.CreateContainerAsync(parameters, token)).ID, stopping);
            await RemoveContainerAsync(id, stopping);
            return true;
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImageCorrupt)
        {
            return false;
        }
    }

    /// <summary>If the agent dies while it tests an image, a container is left that would keep the image forever.</summary>
    private async Task RemoveTestContainersAsync(CancellationToken stopping)
    {
        foreach (var testContainer in await ListContainersByLabelAsync(TestContainerLabel, stopping))
        {
            await RemoveContainerAsync(testContainer.ID, stopping);
        }
    }

    private Task<IList<ContainerListResponse>> ListContainersByLabelAsync(string? label, CancellationToken stopping) =>
        connection.CallAsync("list its containers", ListTimeout, (docker, token) =>
        {
            var filters = new Dictionary<string, IDictionary<string, bool>>();
            if (label is not null)
            {
                filters["label"] = new Dictionary<string, bool> { [label] = true };
            }
            return docker.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, token);
        }, stopping);

    private static bool IsNotFound(ProblemException exception) =>
        exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound } &&
        exception.Problem.Kind != ProblemCatalog.ImageCorrupt;
}
