using System.Globalization;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Containers.AppLogs;
using RagAgent.Secrets;
using RagAgent.Supervision.State;

namespace RagAgent.Containers;

/// <summary>
/// The container of <c>ragagent try</c>: as the agent would start it, but without its labels, so that no agent takes it over.
/// </summary>
internal sealed class TryContainer(
    AgentConfig config,
    EngineConnection connection,
    ContainerLauncher launcher,
    SecretVault vault,
    AppLogCollector appLogs,
    ContainerOutput output)
{
    public const string NamePrefix = "ragagent-try-";

    /// <summary>Identifies the values of <c>--env</c> in the vault.</summary>
    public const string SecretsFingerprint = "try";

    private const int MaxNameLength = 300;
    private const string PortVariable = "STREAMLIT_SERVER_PORT=";
    private const string BasePathVariable = "STREAMLIT_SERVER_BASE_URL_PATH=";
    private static readonly TimeSpan InspectTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan CreateTimeout = TimeSpan.FromSeconds(240);
    private static readonly TimeSpan LogFlushTimeout = TimeSpan.FromSeconds(2);

    private readonly ContainerSpec _spec = new(config);

    /// <summary>Reads from the image where its app listens. What the app's own files say is not known here.</summary>
    /// <exception cref="ProblemException">The engine has no such image, or can't be reached.</exception>
    public static async Task<(int Port, string? BasePath)> ReadAddressAsync(
        EngineConnection connection, string image, CancellationToken stopping)
    {
        var inspected = await InspectImageAsync(connection, image, stopping);
        var exposed = (inspected.Config?.ExposedPorts?.Keys ?? Enumerable.Empty<string>())
            .Where(port => port.EndsWith("/tcp", StringComparison.Ordinal)).Select(port => port[..^"/tcp".Length]).ToArray();
        var onlyExposed = exposed is [var single] ? ParsePort(single) : null;
        var port = ParsePort(Variable(PortVariable)) ?? onlyExposed ?? new Configuration.ContainerConfig().Port;
        return (port, Variable(BasePathVariable)?.Trim('/') is { Length: > 0 } basePath ? $"/{basePath}" : null);

        string? Variable(string prefix) =>
            inspected.Config?.Env?.LastOrDefault(variable => variable.StartsWith(prefix, StringComparison.Ordinal))?[prefix.Length..];
    }

    /// <exception cref="ProblemException">It could not be created or started. Nothing is left of it.</exception>
    public async Task<string> StartAsync(CancellationToken stopping)
    {
        var image = await InspectImageAsync(connection, config.Image, stopping);
        var secrets = vault.Find(SecretsFingerprint) ?? [];
        var release = new Release(new ImageName(config.Image, image.ID), "", SecretsFingerprint);
        var parameters = _spec.BuildCreateParameters(config.Container.Name, release, image, secrets);
        parameters.Image = image.ID;
        parameters.Labels.Clear();
        var id = await connection.CallAsync("create the container", CreateTimeout, async (docker, token) =>
            (await docker.Containers.CreateContainerAsync(parameters, token)).ID, stopping);
        appLogs.FollowFromStart(id, SecretsFingerprint);
        try
        {
            await launcher.LaunchAsync(id, secrets, stopping);
            return id;
        }
        catch
        {
            await launcher.RemoveAsync(id, CancellationToken.None);
            throw;
        }
    }

    public async Task<Container> InspectAsync(string id, CancellationToken stopping)
    {
        var inspected = await connection.CallAsync("inspect the container", InspectTimeout,
            (docker, token) => docker.Containers.InspectContainerAsync(id, token), stopping);
        appLogs.Observe(inspected);
        var exit = inspected.State is { Running: false } state
            ? new ContainerExit((int)state.ExitCode, state.OOMKilled, state.Error ?? "", await output.LastLinesAsync(id, stopping))
            : null;
        return Labels.ReadContainer(inspected, _spec.ContainerPort, exit);
    }

    /// <summary>Writes the rest of its output and removes it.</summary>
    public async Task RemoveAsync(string id)
    {
        await appLogs.FlushAsync(id, LogFlushTimeout, CancellationToken.None);
        await launcher.RemoveAsync(id, CancellationToken.None);
    }

    private static async Task<ImageInspectResponse> InspectImageAsync(EngineConnection connection, string image, CancellationToken stopping)
    {
        try
        {
            return await connection.CallAsync("inspect the image", InspectTimeout,
                (docker, token) => docker.Images.InspectImageAsync(image, token), stopping);
        }
        catch (ProblemException exception) when (EngineProblems.IsNotFound(exception))
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImageMissing,
                $"Docker Engine has no image {UntrustedText.ToLine(image, MaxNameLength)}.",
                $"Build it, or run 'docker pull {UntrustedText.ToLine(image, MaxNameLength)}'."), exception);
        }
    }

    private static int? ParsePort(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535 ? port : null;
}
