using System.Globalization;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Configuration.Values;
using RagAgent.Secrets;
using RagAgent.Supervision.State;

namespace RagAgent.Containers;

/// <summary>Builds the create request from the configuration and the image, never from an earlier container.</summary>
internal sealed class ContainerSpec(AgentConfig config)
{
    private Configuration.ContainerConfig Settings => config.Container;

    public string ContainerPort => $"{Settings.Port}/tcp";

    /// <summary>A hash of every setting that shapes the container. Probes, the front door's ports and timings don't.</summary>
    public static string ComputeFingerprint(AgentConfig config)
    {
        var container = config.Container;
        return Fingerprint.Of(
        [
            "1",
            container.Name,
            container.Port.ToString(CultureInfo.InvariantCulture),
            container.Memory?.ToString(CultureInfo.InvariantCulture) ?? "",
            container.Cpus?.ToString(CultureInfo.InvariantCulture) ?? "",
            container.User ?? "",
            container.ReadOnlyRoot.ToString(),
            .. container.Volumes.Select(ToBindString).Order(StringComparer.Ordinal),
            "environment",
            .. config.Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value}"),
            "secrets",
            .. config.Secrets.OrderBy(s => s.Key, StringComparer.Ordinal)
                .Select(s => $"{s.Key}:{s.Value.Delivery}{(s.Value.Path is { } path ? $":{path}" : "")}"),
            // Only if set: a container from before this setting keeps its fingerprint.
            .. config.StreamlitSecretsFile is { } file ? new[] { "st.secrets", file } : [],
        ]);
    }

    public CreateContainerParameters BuildCreateParameters(
        string name, Release release, ImageInspectResponse image, IReadOnlyList<LoadedSecret> secrets)
    {
        var hasMemorySecrets = secrets.Any(s => s.Delivery == SecretDelivery.Memory);
        var environmentSecrets = secrets
            .Where(s => s.Delivery == SecretDelivery.Environment)
            .Select(s => $"{s.Variable}={s.Value.Reveal()}");
        var parameters = new CreateContainerParameters
        {
            Name = name,
            Image = release.Image.ToString(),
            Env =
            [
                .. LoggerLevel(image),
                .. config.Environment.Select(e => $"{e.Key}={e.Value}"),
                .. environmentSecrets,
                .. config.StreamlitSecretsFile is { } file ? new[] { $"{SecretPath.StreamlitVariable}={file}" } : [],
            ],
            Labels = Labels.Create(Settings.Name, release),
            User = Settings.User ?? "",
            ExposedPorts = new Dictionary<string, EmptyStruct> { [ContainerPort] = default },
            StopTimeout = Settings.StopTimeout,
            // The agent probes the app itself. A health check inside the container would cost a process each time.
            Healthcheck = new HealthcheckConfig { Test = ["NONE"] },
            HostConfig = BuildHostConfig(),
        };
        if (hasMemorySecrets)
        {
            parameters.Entrypoint = SecretHandover.Entrypoint;
            parameters.Cmd = [.. image.Config?.Entrypoint ?? [], .. image.Config?.Cmd ?? []];
            parameters.OpenStdin = true;
            parameters.StdinOnce = true;
            parameters.AttachStdin = true;
        }
        return parameters;
    }

    /// <summary>
    /// Makes Streamlit log uncaught exceptions, which tell a page that fails from one that shows an exception on purpose.
    /// It is not part of the fingerprint: an upgrade of the agent must not restart an app.
    /// </summary>
    private IEnumerable<string> LoggerLevel(ImageInspectResponse image)
    {
        const string name = "STREAMLIT_LOGGER_LEVEL";
        var isSet = config.Environment.ContainsKey(name) || config.Secrets.ContainsKey(name) ||
            image.Config?.Env?.Any(variable => variable.StartsWith(name + "=", StringComparison.Ordinal)) == true;
        return isSet ? [] : [$"{name}=info"];
    }

    private HostConfig BuildHostConfig() => new()
    {
        // PID 1 must forward signals: Streamlit installs its handlers late.
        Init = true,
        // Only the agent restarts the container. At boot, the engine would start an old image without its secrets.
        RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
        PortBindings = new Dictionary<string, IList<PortBinding>>
        {
            // Loopback only, on a free port that the engine picks: the front door is the only way in.
            [ContainerPort] = [new PortBinding { HostIP = "127.0.0.1", HostPort = "" }],
        },
        // Not Binds: for those, the engine creates a missing folder as root, even where a disk should have been mounted.
        Mounts = [.. Settings.Volumes.Select(ToMount)],
        Memory = Settings.Memory ?? 0,
        MemorySwap = Settings.Memory ?? 0,
        NanoCPUs = (long)((Settings.Cpus ?? 0) * 1e9),
        ReadonlyRootfs = Settings.ReadOnlyRoot,
        Tmpfs = BuildTmpfs(),
        SecurityOpt = ["no-new-privileges"],
        // The engine's default never deletes logs.
        LogConfig = new LogConfig { Type = "local", Config = new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "3" } },
    };

    private Dictionary<string, string>? BuildTmpfs()
    {
        var mounts = new Dictionary<string, string>();
        if (Settings.ReadOnlyRoot)
        {
            mounts["/tmp"] = "";
        }

        if (config.SecretsFolder is { } folder)
        {
            // The engine needs numbers for an owner, but users can be names. So anyone in the container may write to the folder,
            // as to /tmp, but only the app's user can read the files.
            mounts[folder] = "mode=1777,size=16m";
        }

        return mounts.Count == 0 ? null : mounts;
    }

    private static Mount ToMount(VolumeConfig volume) => new()
    {
        Type = volume.Host.StartsWith('/') ? "bind" : "volume",
        Source = volume.Host,
        Target = volume.Container,
        ReadOnly = volume.ReadOnly,
    };

    /// <summary>For the fingerprint only.</summary>
    private static string ToBindString(VolumeConfig volume) => $"{volume.Host}:{volume.Container}:{(volume.ReadOnly ? "ro" : "rw")}";
}
