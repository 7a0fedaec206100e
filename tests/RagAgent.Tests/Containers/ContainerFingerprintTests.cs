using RagAgent.Configuration;
using RagAgent.Containers;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>A changed fingerprint means that a changed configuration needs a new container.</summary>
public class ContainerFingerprintTests
{
    private static readonly AgentConfig Config = new()
    {
        Image = "app",
        Environment = new Dictionary<string, string> { ["HF_HOME"] = "/cache" },
        Secrets = new Dictionary<string, SecretConfig> { ["KEY"] = new(SecretSource.Ssm, "/key") },
        Container = new ContainerConfig { Volumes = [new VolumeConfig("/var/a", "/app/a"), new VolumeConfig("models", "/cache", ReadOnly: true)] },
    };

    public static TheoryData<string> ShapingKeys => [.. Changes(shaping: true).Keys];

    public static TheoryData<string> OtherKeys => [.. Changes(shaping: false).Keys];

    [Theory]
    [MemberData(nameof(ShapingKeys))]
    public void A_key_that_shapes_the_container_changes_its_fingerprint(string key) =>
        Assert.NotEqual(ContainerSpec.ComputeFingerprint(Config), ContainerSpec.ComputeFingerprint(Changes(shaping: true)[key]));

    [Theory]
    [MemberData(nameof(OtherKeys))]
    public void A_key_that_does_not_shape_the_container_keeps_its_fingerprint(string key) =>
        Assert.Equal(ContainerSpec.ComputeFingerprint(Config), ContainerSpec.ComputeFingerprint(Changes(shaping: false)[key]));

    [Fact]
    public void No_two_changes_have_the_same_fingerprint()
    {
        var all = Changes(shaping: true).Values.Select(ContainerSpec.ComputeFingerprint).ToArray();

        Assert.Equal(all.Length, all.Distinct().Count());
    }

    [Fact]
    public void Every_container_key_is_listed_in_the_fingerprint_test()
    {
        // A new key must be added to one of the two groups in Changes.
        string[] known = ["Name", "Port", "Memory", "Cpus", "User", "ReadOnlyRoot", "StreamlitSecrets", "Volumes", "StopTimeout"];

        Assert.Equal(known.Order(), typeof(ContainerConfig).GetProperties().Where(p => p.CanWrite).Select(p => p.Name).Order());
    }

    private static Dictionary<string, AgentConfig> Changes(bool shaping) => shaping
        ? new()
        {
            ["container.name"] = With(c => c with { Name = "other" }),
            ["container.port"] = With(c => c with { Port = 80 }),
            ["container.memory"] = With(c => c with { Memory = 1 }),
            ["container.cpus"] = With(c => c with { Cpus = 1 }),
            ["container.user"] = With(c => c with { User = "1" }),
            ["container.readOnlyRoot"] = With(c => c with { ReadOnlyRoot = true }),
            ["container.volumes: none"] = With(c => c with { Volumes = [] }),
            ["container.volumes: read-only"] = With(c => c with { Volumes = [c.Volumes[0] with { ReadOnly = true }, c.Volumes[1]] }),
            ["container.volumes: host"] = With(c => c with { Volumes = [c.Volumes[0] with { Host = "/var/b" }, c.Volumes[1]] }),
            ["container.volumes: container"] = With(c => c with { Volumes = [c.Volumes[0] with { Container = "/app/b" }, c.Volumes[1]] }),
            ["environment: none"] = Config with { Environment = new Dictionary<string, string>() },
            ["environment: value"] = Config with { Environment = new Dictionary<string, string> { ["HF_HOME"] = "/other" } },
            ["environment: name"] = Config with { Environment = new Dictionary<string, string> { ["HOME"] = "/cache" } },
            ["secrets: none"] = Config with { Secrets = new Dictionary<string, SecretConfig>() },
            ["secrets: name"] = WithSecret("OTHER", Config.Secrets["KEY"]),
            ["container.streamlitSecrets"] = With(c => c with { StreamlitSecrets = true }),
            ["secrets: path"] = WithSecret("KEY", Config.Secrets["KEY"] with { Path = "/run/secrets/key" }),
            ["secrets: another path"] = WithSecret("KEY", Config.Secrets["KEY"] with { Path = "/run/secrets/other" }),
            ["secrets: delivery"] = WithSecret("KEY", Config.Secrets["KEY"] with { Delivery = SecretDelivery.Environment }),
        }
        : new()
        {
            ["image"] = Config with { Image = "another" },   // its digest is part of the release itself
            ["secrets: source"] = WithSecret("KEY", new SecretConfig(SecretSource.File, "/key", "field")),   // so are the secrets' versions
            ["aws"] = Config with { Aws = new AwsConfig { Region = "eu-central-1" } },
            ["listen"] = Config with { Listen = new ListenConfig { Http = 8080 } },
            ["health"] = Config with { Health = new HealthConfig { Gate = new GateConfig { Path = "/x" } } },
            ["restart"] = Config with { Restart = new RestartConfig { FirstDelay = TimeSpan.FromSeconds(9) } },
            ["update"] = Config with { Update = new UpdateConfig { When = UpdateWhen.Now } },
            ["container.stopTimeout"] = With(c => c with { StopTimeout = TimeSpan.FromSeconds(9) }),
            ["container.volumes: order"] = With(c => c with { Volumes = [c.Volumes[1], c.Volumes[0]] }),
        };

    private static AgentConfig WithSecret(string variable, SecretConfig secret) =>
        Config with { Secrets = new Dictionary<string, SecretConfig> { [variable] = secret } };

    private static AgentConfig With(Func<ContainerConfig, ContainerConfig> change) => Config with { Container = change(Config.Container) };
}
