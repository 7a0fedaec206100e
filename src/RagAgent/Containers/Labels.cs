using Docker.DotNet.Models;
using RagAgent.Supervision.State;
using ContainerStatus = RagAgent.Supervision.State.ContainerStatus;

namespace RagAgent.Containers;

/// <summary>The labels that identify a container of ours after a crash of the agent, an upgrade or a reboot.</summary>
internal static class Labels
{
    public const string Name = "ragagent.name";
    private const string Repository = "ragagent.repository";
    private const string Digest = "ragagent.digest";
    private const string Release = "ragagent.release";
    private const string Config = "ragagent.config";
    private const string Secrets = "ragagent.secrets";
    private const string LastGood = "ragagent.last-good";
    private const string Avoided = "ragagent.avoided";

    public static Dictionary<string, string> Create(string name, Release release) => new()
    {
        [Name] = name,
        [Repository] = release.Image.Repository,
        [Digest] = release.Image.Digest,
        [Release] = release.Id,
        [Config] = release.ConfigFingerprint,
        [Secrets] = release.SecretsFingerprint,
    };

    /// <summary>Records what the agent knew when it created the container, in case the state file is lost.</summary>
    public static void Annotate(IDictionary<string, string> labels, ImageName? lastGood, ImageName? avoided)
    {
        foreach (var (label, image) in new[] { (LastGood, lastGood), (Avoided, avoided) })
        {
            if (image is not null)
            {
                labels[label] = image.ToString();
            }
        }
    }

    private static ImageName? ReadImage(IDictionary<string, string> labels, string label) =>
        labels.TryGetValue(label, out var text) && text.LastIndexOf('@') is > 0 and var at
            ? new ImageName(text[..at], text[(at + 1)..])
            : null;

    public static Container ReadContainer(ContainerInspectResponse inspected, string containerPort, ContainerExit? exit)
    {
        var labels = inspected.Config?.Labels ?? new Dictionary<string, string>();
        var image = labels.TryGetValue(Repository, out var repository) && labels.TryGetValue(Digest, out var digest)
            ? new ImageName(repository, digest)
            : null;
        return new Container(
            inspected.ID,
            inspected.Name.TrimStart('/'),
            image,
            labels.TryGetValue(Release, out var release) ? release : null,
            labels.TryGetValue(Config, out var config) ? config : null,
            ParseStatus(inspected.State),
            inspected.State?.StartedAt ?? "",
            ReadHostPort(inspected, containerPort),
            exit)
        {
            LastGood = ReadImage(labels, LastGood),
            Avoided = ReadImage(labels, Avoided),
        };
    }

    /// <summary>Identifies the versions of the secrets that the container got; null if the label is missing.</summary>
    public static string? ReadSecretsFingerprint(ContainerInspectResponse inspected) =>
        inspected.Config?.Labels is { } labels && labels.TryGetValue(Secrets, out var secrets) ? secrets : null;

    public static ContainerStatus ParseStatus(State? state) => state?.Status switch
    {
        "running" => ContainerStatus.Running,
        "paused" => ContainerStatus.Paused,
        "restarting" => ContainerStatus.Restarting,
        "removing" => ContainerStatus.Removing,
        "exited" => ContainerStatus.Exited,
        "dead" => ContainerStatus.Dead,
        _ => ContainerStatus.Created,
    };

    private static int? ReadHostPort(ContainerInspectResponse inspected, string containerPort) =>
        inspected.NetworkSettings?.Ports is { } ports && ports.TryGetValue(containerPort, out var bindings) &&
        bindings?.FirstOrDefault()?.HostPort is { } text && int.TryParse(text, out var port) ? port : null;
}
