using System.Text.Json;
using Docker.DotNet.Models;
using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Secrets;
using RagAgent.Supervision.State;
using Xunit;
using ContainerConfig = RagAgent.Configuration.ContainerConfig;
using ContainerSpec = RagAgent.Containers.ContainerSpec;

namespace RagAgent.Tests.Containers;

public class ContainerSpecTests
{
    private static readonly Release Release = new(new ImageName("registry/app", "sha256:" + new string('a', 64)), "config", "secrets");
    private static readonly ImageInspectResponse Image = new() { Config = new() { Entrypoint = ["/entry"], Cmd = ["run", "--fast"] } };

    private static readonly AgentConfig Config = new()
    {
        Image = "app",
        Environment = new Dictionary<string, string> { ["HF_HOME"] = "/cache" },
        Container = new ContainerConfig { Volumes = [new VolumeConfig("/var/a", "/app/a"), new VolumeConfig("models", "/cache", ReadOnly: true)] },
    };

    [Fact]
    public void The_container_has_the_configured_name_and_the_image_digest()
    {
        var create = Create(Config);

        Assert.Equal(("ragstream", Release.Image.ToString()), (create.Name, create.Image));
    }

    [Fact]
    public void The_port_is_published_on_loopback_only_at_a_port_that_the_engine_picks()
    {
        var (port, bindings) = Assert.Single(Host(Config).PortBindings ?? new Dictionary<string, IList<PortBinding>>());
        var binding = Assert.Single(bindings);
        Assert.Equal(("8501/tcp", "127.0.0.1", ""), (port, binding.HostIP, binding.HostPort));
        Assert.Equal(["8501/tcp"], Create(Config).ExposedPorts?.Keys);
    }

    [Fact]
    public void Only_the_agent_restarts_the_container_and_an_init_forwards_signals()
    {
        var host = Host(Config);

        Assert.Equal(RestartPolicyKind.No, host.RestartPolicy?.Name);
        Assert.True(host.Init);
    }

    [Fact]
    public void A_memory_limit_leaves_no_swap()
    {
        var host = Host(With(c => c with { Memory = 1_500_000_000 }));

        Assert.Equal((1_500_000_000, 1_500_000_000), (host.Memory, host.MemorySwap));
    }

    [Fact]
    public void Without_configured_limits_the_container_has_none()
    {
        var host = Host(Config);

        Assert.Equal((0, 0, 0), (host.Memory, host.MemorySwap, host.NanoCPUs));
    }

    [Fact]
    public void A_CPU_limit_can_be_a_fraction() => Assert.Equal(1_500_000_000, Host(With(c => c with { Cpus = 1.5 })).NanoCPUs);

    [Fact]
    public void Volumes_are_mounted_as_configured_without_creating_missing_folders() => Assert.Equal(
        [("bind", "/var/a", "/app/a", false), ("volume", "models", "/cache", true)],
        Host(Config).Mounts!.Select(mount => (mount.Type, mount.Source, mount.Target, mount.ReadOnly)));

    [Fact]
    public void A_read_only_root_still_has_a_tmpfs_for_temporary_files()
    {
        Assert.Null(Host(Config).Tmpfs);
        var host = Host(With(c => c with { ReadOnlyRoot = true }));
        Assert.True(host.ReadonlyRootfs);
        Assert.Equal(["/tmp"], host.Tmpfs?.Keys);
    }

    [Fact]
    public void The_container_can_not_gain_privileges_and_its_log_is_bounded()
    {
        var host = Host(Config);

        Assert.Equal(["no-new-privileges"], host.SecurityOpt);
        Assert.Equal(("local", "10m", "3"), (host.LogConfig?.Type, host.LogConfig?.Config?["max-size"], host.LogConfig?.Config?["max-file"]));
    }

    [Fact]
    public void The_image_health_check_is_disabled() => Assert.Equal(["NONE"], Create(Config).Healthcheck?.Test);

    [Fact]
    public void The_container_has_the_configured_stop_timeout() =>
        Assert.Equal(TimeSpan.FromSeconds(45), Create(With(c => c with { StopTimeout = TimeSpan.FromSeconds(45) })).StopTimeout);

    [Theory]
    [InlineData(null, "")]
    [InlineData("1000:1000", "1000:1000")]
    public void The_container_runs_as_the_image_user_unless_another_one_is_configured(string? user, string expected) =>
        Assert.Equal(expected, Create(With(c => c with { User = user })).User);

    [Fact]
    public void Labels_identify_the_agent_and_the_release() =>
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["ragagent.name"] = "ragstream",
                ["ragagent.repository"] = "registry/app",
                ["ragagent.digest"] = Release.Image.Digest,
                ["ragagent.release"] = Release.Id,
                ["ragagent.config"] = "config",
                ["ragagent.secrets"] = "secrets",
            },
            Create(Config).Labels);

    [Fact]
    public void A_container_is_read_back_from_its_labels()
    {
        var inspected = new ContainerInspectResponse
        {
            ID = "0123",
            Name = "/ragstream",
            Config = new() { Labels = Create(Config).Labels },
            State = new() { Status = "running", StartedAt = "2026-01-01T00:00:00Z" },
            NetworkSettings = new() { Ports = new Dictionary<string, IList<PortBinding>> { ["8501/tcp"] = [new PortBinding { HostIP = "127.0.0.1", HostPort = "32768" }] } },
        };

        Assert.Equal(
            new Container("0123", "ragstream", Release.Image, Release.Id, "config", RagAgent.Supervision.State.ContainerStatus.Running, "2026-01-01T00:00:00Z", 32768, null),
            Labels.ReadContainer(inspected, "8501/tcp", null));
    }

    [Fact]
    public void A_container_without_labels_and_port_is_read()
    {
        var inspected = new ContainerInspectResponse { ID = "0123", Name = "/x" };

        Assert.Equal(
            new Container("0123", "x", null, null, null, RagAgent.Supervision.State.ContainerStatus.Created, "", null, null),
            Labels.ReadContainer(inspected, "8501/tcp", null));
    }

    [Fact]
    public void A_shell_reads_the_secrets_before_the_image_command_runs()
    {
        var create = Create(Config, new LoadedSecret("KEY", new SecretValue("sk-1"), SecretDelivery.Memory));

        Assert.Equal(SecretHandover.Entrypoint, create.Entrypoint);
        Assert.Equal(["/entry", "run", "--fast"], create.Cmd);
        Assert.True(create is { OpenStdin: true, StdinOnce: true, AttachStdin: true });
        Assert.Equal(["STREAMLIT_LOGGER_LEVEL=info", "HF_HOME=/cache"], create.Env);
        Assert.DoesNotContain("sk-1", JsonSerializer.Serialize(new { create.Env, create.Cmd, create.Entrypoint, create.Labels }), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, new[] { "/entry" })]
    [InlineData(false, true, new[] { "run", "--fast" })]
    [InlineData(false, false, new string[0])]
    public void The_image_can_lack_an_entrypoint_and_a_command(bool entrypoint, bool command, string[] expected)
    {
        var image = new ImageInspectResponse
        {
            Config = new()
            {
                Entrypoint = entrypoint ? new List<string> { "/entry" } : null,
                Cmd = command ? new List<string> { "run", "--fast" } : null,
            },
        };

        var create = new ContainerSpec(Config).BuildCreateParameters("rag", Release, image, [new LoadedSecret("KEY", new SecretValue("sk-1"), SecretDelivery.Memory)]);

        Assert.Equal(expected, create.Cmd);
    }

    [Theory]
    [InlineData("configuration")]
    [InlineData("secrets")]
    [InlineData("image")]
    public void The_log_level_of_Streamlit_is_left_alone_where_it_is_set(string by)
    {
        const string name = "STREAMLIT_LOGGER_LEVEL";
        var image = new ImageInspectResponse { Config = new() { Env = by == "image" ? [$"{name}=error"] : [] } };
        var config = by switch
        {
            "configuration" => Config with { Environment = new Dictionary<string, string> { [name] = "error" } },
            "secrets" => Config with { Secrets = new Dictionary<string, SecretConfig> { [name] = new(SecretSource.File, "/run/level") } },
            _ => Config,
        };

        var create = new ContainerSpec(config).BuildCreateParameters("rag", Release, image, []);

        Assert.DoesNotContain($"{name}=info", create.Env);
    }

    [Fact]
    public void Environment_secrets_leave_the_image_command_alone()
    {
        var create = Create(Config, new LoadedSecret("KEY", new SecretValue("sk-1"), SecretDelivery.Environment));

        Assert.Equal(["STREAMLIT_LOGGER_LEVEL=info", "HF_HOME=/cache", "KEY=sk-1"], create.Env);
        Assert.Null(create.Entrypoint);
        Assert.Null(create.Cmd);
        Assert.False(create.OpenStdin);
    }

    [Fact]
    public void Each_secret_uses_its_own_delivery()
    {
        var create = Create(
            Config, new LoadedSecret("A", new SecretValue("sk-1"), SecretDelivery.Environment),
            new LoadedSecret("B", new SecretValue("sk-2"), SecretDelivery.Memory));

        Assert.Equal(["STREAMLIT_LOGGER_LEVEL=info", "HF_HOME=/cache", "A=sk-1"], create.Env);
        Assert.Equal(SecretHandover.Entrypoint, create.Entrypoint);
    }

    [Theory]
    [InlineData(false, new[] { "/run/secrets" })]
    [InlineData(true, new[] { "/run/secrets", "/tmp" })]
    public void Files_of_secrets_are_in_a_folder_in_memory(bool readOnlyRoot, string[] expected)
    {
        var config = With(c => c with { ReadOnlyRoot = readOnlyRoot }) with
        {
            Secrets = new Dictionary<string, SecretConfig> { ["KEY"] = new(SecretSource.Ssm, "/key", Path: "/run/secrets/key") },
        };
        var create = Create(config, new LoadedSecret("KEY", new SecretValue("sk-1"), SecretDelivery.Memory, "/run/secrets/key"));

        Assert.Equal(expected, create.HostConfig!.Tmpfs!.Keys.Order());
        Assert.Equal("mode=1777,size=16m", create.HostConfig.Tmpfs["/run/secrets"]);
        Assert.Equal(SecretHandover.Entrypoint, create.Entrypoint);
        Assert.Equal(["STREAMLIT_LOGGER_LEVEL=info", "HF_HOME=/cache"], create.Env);
    }

    [Fact]
    public void Streamlit_is_told_where_its_secrets_are()
    {
        var config = With(c => c with { StreamlitSecrets = true });
        var create = Create(config, new LoadedSecret("KEY", new SecretValue("sk-1"), SecretDelivery.Memory));

        Assert.Equal(["STREAMLIT_LOGGER_LEVEL=info", "HF_HOME=/cache", "STREAMLIT_SECRETS_FILES=/run/ragagent/secrets.toml"], create.Env);
        Assert.Equal(["/run/ragagent"], create.HostConfig!.Tmpfs!.Keys);
    }

    private static AgentConfig With(Func<ContainerConfig, ContainerConfig> change) => Config with { Container = change(Config.Container) };

    private static CreateContainerParameters Create(AgentConfig config, params LoadedSecret[] secrets) =>
        new ContainerSpec(config).BuildCreateParameters(config.Container.Name, Release, Image, secrets);

    private static HostConfig Host(AgentConfig config) => Create(config).HostConfig ?? new HostConfig();
}
