using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Containers;
using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>The images on the engine's disk: finds, lists, names and removes them.</summary>
internal sealed class EngineImages(EngineConnection connection)
{
    private const string TestContainerLabel = "ragagent.trial";
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ListTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan CreateTimeout = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan RemoveTimeout = TimeSpan.FromMinutes(5);   // gigabytes of small files

    /// <returns>Null when it is not on disk.</returns>
    /// <exception cref="ProblemException">Also when it is there and broken.</exception>
    public async Task<InspectedImage?> FindAsync(string reference, CancellationToken stopping)
    {
        try
        {
            var inspected = await connection.CallAsync("look for the image", InspectTimeout, (docker, token) => docker.Images.InspectImageAsync(reference, token), stopping);
            return new InspectedImage(new Platform(inspected.Os, inspected.Architecture), [.. inspected.RootFS?.Layers ?? []]);
        }
        catch (ProblemException exception) when (IsNotFound(exception))
        {
            return null;
        }
    }

    public async Task<IReadOnlyList<LocalImage>> ListAsync(CancellationToken stopping)
    {
        var all = await connection.CallAsync("list its images", ListTimeout, (docker, token) => docker.Images.ListImagesAsync(new ImagesListParameters(), token), stopping);
        return [.. all.Select(i => new LocalImage(i.ID, [.. i.RepoTags ?? []], [.. i.RepoDigests ?? []], i.Size))];
    }

    /// <summary>The layers of each; of one that is broken, none.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<string>>> LayersAsync(IReadOnlyList<LocalImage> images, CancellationToken stopping)
    {
        var layers = new List<IReadOnlyList<string>>();
        foreach (var image in images)
        {
            layers.Add(await LayersOfAsync(image, stopping) ?? []);
        }
        return layers;
    }

    /// <returns>Null when the image is gone or broken.</returns>
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

    /// <summary>Names the image for people and keeps it from being pruned as one without a name.</summary>
    public Task TagAsync(ImageName image, string tag, CancellationToken stopping) =>
        connection.CallAsync("tag the image", InspectTimeout, (docker, token) =>
            docker.Images.TagImageAsync(image.ToString(), new ImageTagParameters { RepositoryName = image.Repository, Tag = tag }, token), stopping);

    /// <summary>Takes a name away, and the image when it was the last one. What is gone already is no failure.</summary>
    /// <param name="name">A reference, or an id.</param>
    /// <param name="force">By an id: all its names, and although a container that does not run uses it.</param>
    /// <param name="stopping">Ends the wait.</param>
    /// <returns>The image itself is gone.</returns>
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

    /// <summary>All containers, of anyone, without what <see cref="IsIntactAsync"/> may have left.</summary>
    public async Task<IReadOnlyList<ContainerUsingImage>> ListContainersAsync(CancellationToken stopping)
    {
        await RemoveTestContainersAsync(stopping);
        return [.. (await ListContainersByLabelAsync(null, stopping)).Select(container =>
            new ContainerUsingImage(container.ID, container.ImageID, container.Labels is { } labels && labels.TryGetValue(Labels.Name, out var name) ? name : null,
                container.State is not ("created" or "exited" or "dead")))];
    }

    public async Task RemoveContainerAsync(string id, CancellationToken stopping)
    {
        try
        {
            await connection.CallAsync("remove the container", ListTimeout, (docker, token) =>
                docker.Containers.RemoveContainerAsync(id, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, token), stopping);
        }
        catch (ProblemException exception) when (IsNotFound(exception))
        {
            return;   // someone else removed it
        }
    }

    /// <summary>Tries whether a container can be made of it: the engine then puts all its layers together, and nothing runs.</summary>
    public async Task<bool> IsIntactAsync(string reference, CancellationToken stopping)
    {
        try
        {
            var parameters = new CreateContainerParameters { Image = reference, Cmd = ["true"], Labels = new Dictionary<string, string> { [TestContainerLabel] = "" } };
            var id = await connection.CallAsync("try the image", CreateTimeout, async (docker, token) => (await docker.Containers.CreateContainerAsync(parameters, token)).ID, stopping);
            await RemoveContainerAsync(id, stopping);
            return true;
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImageCorrupt)
        {
            return false;
        }
    }

    /// <summary>One is left when the agent dies while it tries an image; it would keep that image for ever.</summary>
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
        exception.InnerException is DockerApiException { StatusCode: HttpStatusCode.NotFound } && exception.Problem.Kind != ProblemCatalog.ImageCorrupt;
}
