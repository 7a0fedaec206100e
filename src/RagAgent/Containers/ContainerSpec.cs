using System.Globalization;
using Docker.DotNet.Models;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Secrets;
using RagAgent.Supervision.State;

namespace RagAgent.Containers;

/// <summary>What the engine is asked to create: from the configuration and the image, never copied from an earlier container.</summary>
internal sealed class ContainerSpec(AgentConfig config)
{
    private Configuration.ContainerConfig Settings => config.Container;

    public string ContainerPort => $"{Settings.Port}/tcp";

    /// <summary>Of everything in the configuration that shapes the container; probes, ports of ours and timings do not.</summary>
    public static string ComputeFingerprint(AgentConfig config)
    {
        var container = config.Container;
        return Fingerprint.Of(
        [
            "1", container.Name, container.Port.ToString(CultureInfo.InvariantCulture), container.Memory?.ToString(CultureInfo.InvariantCulture) ?? "",
            container.Cpus?.ToString(CultureInfo.InvariantCulture) ?? "", container.User ?? "", container.ReadOnlyRoot.ToString(),
            .. container.Volumes.Select(ToBindString).Order(StringComparer.Ordinal), "environment",
            .. config.Environment.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => $"{e.Key}={e.Value}"), "secrets",
            .. config.Secrets.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key}:{s.Value.Delivery}"),
        ]);
    }

    public CreateContainerParameters BuildCreateParameters(string name, Release release, ImageInspectResponse image, IReadOnlyList<LoadedSecret> secrets)
    {
        var hasMemorySecrets = secrets.Any(s => s.Delivery == SecretDelivery.Memory);
        var environmentSecrets = secrets.Where(s => s.Delivery == SecretDelivery.Environment).Select(s => $"{s.Variable}={s.Value.Reveal()}");
        var parameters = new CreateContainerParameters
        {
            Name = name,
            Image = release.Image.ToString(),
            Env = [.. config.Environment.Select(e => $"{e.Key}={e.Value}"), .. environmentSecrets],
            Labels = Labels.Create(Settings.Name, release),
            User = Settings.User ?? "",
            ExposedPorts = new Dictionary<string, EmptyStruct> { [ContainerPort] = default },
            StopTimeout = Settings.StopTimeout,
            // The agent's own probe is the truth; a second opinion inside the container would cost a process each time.
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

    private HostConfig BuildHostConfig() => new()
    {
        // Someone must be PID 1 who passes signals on: Streamlit installs its handlers late.
        Init = true,
        // One authority restarts it, and that is the agent: the engine would start an old image without its secrets at boot.
        RestartPolicy = new RestartPolicy { Name = RestartPolicyKind.No },
        PortBindings = new Dictionary<string, IList<PortBinding>>
        {
            // Loopback only, and a free port of the engine's choice: the front door is the only way in.
            [ContainerPort] = [new PortBinding { HostIP = "127.0.0.1", HostPort = "" }],
        },
        // Not Binds: for these the engine makes a folder that is missing, as root's, also where a disk should have been mounted.
        Mounts = [.. Settings.Volumes.Select(volume => new Mount { Type = volume.Host.StartsWith('/') ? "bind" : "volume", Source = volume.Host, Target = volume.Container, ReadOnly = volume.ReadOnly })],
        Memory = Settings.Memory ?? 0,
        MemorySwap = Settings.Memory ?? 0,
        NanoCPUs = (long)((Settings.Cpus ?? 0) * 1e9),
        ReadonlyRootfs = Settings.ReadOnlyRoot,
        Tmpfs = Settings.ReadOnlyRoot ? new Dictionary<string, string> { ["/tmp"] = "" } : null,
        SecurityOpt = ["no-new-privileges"],
        // The engine's default keeps logs for ever.
        LogConfig = new LogConfig { Type = "local", Config = new Dictionary<string, string> { ["max-size"] = "10m", ["max-file"] = "3" } },
    };

    /// <summary>For the fingerprint.</summary>
    private static string ToBindString(VolumeConfig volume) => $"{volume.Host}:{volume.Container}:{(volume.ReadOnly ? "ro" : "rw")}";
}
