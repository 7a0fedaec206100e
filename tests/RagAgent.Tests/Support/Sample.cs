using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Tests.Support;

/// <summary>Images, containers and problems for the stories.</summary>
internal static partial class Sample
{
    public const string Repository = "registry.example/ragstream-web";

    public static readonly ImageName OldImage = Image("old");
    public static readonly ImageName NewImage = Image("new");
    public static readonly ImageName NewerImage = Image("newer");
    public static readonly ImageName NewestImage = Image("newest");

    public static readonly Problem EngineSilent = new(ProblemCatalog.EngineSilent, "The engine takes too long.", "It is asked again.");
    public static readonly Problem EngineUnreachable = new(ProblemCatalog.EngineUnreachable, "The engine does not answer.", "It is asked again.");
    public static readonly Problem ImageMissing = new(ProblemCatalog.ImageMissing, "The image is not on disk.", "It is pulled again.");
    public static readonly Problem ImageCorrupt = new(ProblemCatalog.ImageCorrupt, "A layer is broken.", "It is pulled again.");
    public static readonly Problem Refused = new(new ProblemKind("refused"), "It was refused.", "It is tried again.");

    public static ImageName Image(string name) => new(Repository, $"sha256:{name}");

    public static Resolution ResolutionOf(ImageName image) => new($"{Repository}:latest", image, image.Digest);

    public static SecretVersions Secrets(string version) => new($"secrets-{version}", [$"OPENAI_API_KEY={version}"], []);

    public static Release Release(ImageName image, string secrets = "1", string config = ContainerStory.Config) =>
        new(image, config, Secrets(secrets).Fingerprint);

    public static ProbeResult ProbeOutcome(string? fault) =>
        fault is null ? new ProbeResult.Passed() : new ProbeResult.Failed(fault, UnderPressure: false);

    /// <summary>A running container of a release, as the engine shows it.</summary>
    public static Container RunningContainer(string id, Release release, string startedAt = "2026-01-01T00:00:00Z") => new(
        id, "ragstream", release.Image, release.Id, release.ConfigFingerprint, ContainerStatus.Running, startedAt, 40_000, null);

    public static Container Exited(this Container container, int code, bool outOfMemory = false) => container with
    {
        Status = ContainerStatus.Exited,
        HostPort = null,
        Exit = new ContainerExit(code, outOfMemory, "", ["the last line"]),
    };
}
