using System.Text;
using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigReaderTests
{
    [Fact]
    public void The_smallest_file_has_defaults_for_everything_else()
    {
        var config = AssertAccepted("""{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" } }""");

        Assert.Equal("ragstream-web", config.Image);
        Assert.Equal(new SecretConfig(SecretSource.Ssm, "/ragstream/OPENAI_API_KEY"), config.Secrets["OPENAI_API_KEY"]);
        Assert.Empty(config.Container.Volumes);
        var container = new ContainerConfig();
        Assert.Equal(container, config.Container with { Volumes = container.Volumes });
        Assert.Equal(new HealthConfig(), config.Health);
        Assert.Equal(new UpdateConfig(), config.Update);
    }

    [Fact]
    public void Only_default_probe_paths_get_the_base_path()
    {
        var health = AssertAccepted("""
            { "image": "app", "listen": { "basePath": "/rag" }, "health": { "liveness": { "path": "/live" }, "gate": { "path": "/gate" } } }
            """).Health;

        Assert.Equal(
            ("/rag/_stcore/health", "/gate", "/rag/_stcore/stream", "/live"),
            (health.Startup.Path, health.Gate.Path, health.Gate.WebSocket, health.Liveness.Path));
    }

    [Fact]
    public void Every_value_of_the_file_is_read()
    {
        var config = AssertAccepted("""
            {
              "image": "registry.example.com:5000/team/app:v1",
              "aws": { "region": "eu-central-1" },
              "secrets": { "A": { "file": "/run/a", "json": "field", "delivery": "environment" }, "B": { "credential": "b" } },
              "environment": { "HF_HOME": "/cache", "EMPTY": "" },
              "container": {
                "name": "rag", "port": 8080, "memory": "1.5GiB", "cpus": 1.5, "user": "1000:1000", "readOnlyRoot": true, "stopTimeout": "1m30s",
                "volumes": [ { "host": "//srv/logs/", "container": "/app/data/logs/", "readOnly": true }, { "host": "memory", "container": "/app/data/memory" } ]
              },
              "listen": { "http": 8000 },
              "health": {
                "startup": { "path": "/a?x=1", "interval": "100ms", "timeout": "1ms", "deadline": "24h" },
                "gate": { "path": "/b", "webSocket": null },
                "liveness": { "path": "/c", "interval": "1h", "timeout": "5m", "failures": 1 }
              },
              "restart": { "firstDelay": "100ms", "maxDelay": "24h", "resetAfter": "1s" },
              "update": { "every": null, "when": "now", "swap": "stop-first" }
            }
            """);

        Assert.Equal("registry.example.com:5000/team/app:v1", config.Image);
        Assert.Equal("eu-central-1", config.Aws.Region);
        Assert.Equal(new SecretConfig(SecretSource.File, "/run/a", "field", SecretDelivery.Environment), config.Secrets["A"]);
        Assert.Equal(new SecretConfig(SecretSource.Credential, "b"), config.Secrets["B"]);
        Assert.Equal(new Dictionary<string, string> { ["HF_HOME"] = "/cache", ["EMPTY"] = "" }, config.Environment);
        Assert.Equal([new VolumeConfig("/srv/logs", "/app/data/logs", true), new VolumeConfig("memory", "/app/data/memory")], config.Container.Volumes);
        Assert.Equal(
            new ContainerConfig
            {
                Name = "rag",
                Port = 8080,
                Memory = 1536L << 20,
                Cpus = 1.5,
                User = "1000:1000",
                ReadOnlyRoot = true,
                StopTimeout = TimeSpan.FromSeconds(90),
                Volumes = config.Container.Volumes,
            },
            config.Container);
        Assert.Equal(8000, config.Listen.Http);
        Assert.Equal(
            new StartupProbeConfig
            {
                Path = "/a?x=1",
                Interval = TimeSpan.FromMilliseconds(100),
                Timeout = TimeSpan.FromMilliseconds(1),
                Deadline = TimeSpan.FromHours(24),
            },
            config.Health.Startup);
        Assert.Equal(new GateConfig { Path = "/b", WebSocket = null }, config.Health.Gate);
        Assert.Equal(
            new LivenessProbeConfig { Path = "/c", Interval = TimeSpan.FromHours(1), Timeout = TimeSpan.FromMinutes(5), Failures = 1 },
            config.Health.Liveness);
        Assert.Equal(
            new RestartConfig
            {
                FirstDelay = TimeSpan.FromMilliseconds(100),
                MaxDelay = TimeSpan.FromHours(24),
                ResetAfter = TimeSpan.FromSeconds(1),
            },
            config.Restart);
        Assert.Equal(new UpdateConfig { Every = null, When = UpdateWhen.Now, Swap = UpdateSwap.StopFirst }, config.Update);
    }

    [Fact]
    public void Comments_trailing_commas_and_a_byte_order_mark_are_allowed()
    {
        byte[] text = [.. Encoding.UTF8.Preamble, .. "/* one */ { // two\n \"image\": \"app\", \"environment\": { \"A\": \"b\", }, }\n// three"u8];

        var result = ConfigReader.Read(text, FileName);

        Assert.Empty(result.Errors);
    }

    [Fact]
    public void Byte_order_mark_and_multibyte_characters_do_not_shift_columns()
    {
        byte[] text = [.. Encoding.UTF8.Preamble, .. "{ \"image\": \"app\",\n/* ä€😀 */ \"prot\": 1 }"u8];

        var problem = Assert.Single(ConfigReader.Read(text, FileName).Errors);

        Assert.Equal((2, 11), (problem.Line, problem.Column));
    }

    [Fact]
    public void A_file_with_every_default_written_out_is_accepted()
    {
        var config = AssertAccepted("""
            {
              "$schema": "/usr/share/ragagent/ragagent.schema.json",
              "image": "ragstream-web",                     // or a full reference of any registry
              "aws": { "region": null },                    // null: from instance metadata
              "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" },  // SSM name
              "environment": { },
              "container": { "name": "ragstream", "port": 8501, "memory": null, "cpus": null, "user": null, "readOnlyRoot": false,
                             "volumes": [ { "host": "/var/lib/ragstream/chroma_db", "container": "/app/data/chroma_db", "readOnly": false } ],
                             "stopTimeout": "20s" },
              "listen": { "http": 80, "https": null, "basePath": null },
              "tls": { "certificate": null, "key": null, "challenge": null, "redirect": null, "hsts": null },
              "health": { "startup":  { "path": "/_stcore/health", "interval": "2s", "timeout": "5s", "deadline": "10m" },
                          "gate":     { "path": null, "webSocket": "/_stcore/stream" },  // e.g. "/_stcore/script-health-check"
                          "liveness": { "path": "/_stcore/health", "interval": "15s", "timeout": "10s", "failures": 4 } },
              "restart": { "firstDelay": "1s", "maxDelay": "2m", "resetAfter": "5m" },
              "update":  { "boot": "latest", "every": "5m", "when": "idle", "swap": "auto", "watch": "10m" },
              "dns":  null,                                  // { "zone": "Z…" }
              "idle": null                                   // { "stopAfter": "60m" }
            }
            """);

        Assert.Equal(new VolumeConfig("/var/lib/ragstream/chroma_db", "/app/data/chroma_db"), Assert.Single(config.Container.Volumes));
    }

    [Fact]
    public void All_errors_are_reported_at_once_in_the_order_of_the_file()
    {
        var lines = ErrorLines("""
            {
              "image": "RAGstream-web",
              "container": {
                "prot": 8501,
                "memory": "4x", "cpus": "2",
                "volumes": [ { "host": "da/ta", "container": "/app/data" } ],
                "stopTimeout": 20,
                "name": "a", "name": "b"
              },
              "port": 80,
              "update": { "every": "1s" }
            }
            """);

        Assert.Equal(
            [
                "ragagent.json:2:12: image: must have a repository in lower case, but is \"RAGstream-web\"; write \"ragstream-web\"",
                "ragagent.json:4:5: container.prot: unknown key; did you mean 'port'?",
                "ragagent.json:5:15: container.memory: must be a size like \"512m\" or \"4g\", but is \"4x\"; use a number with k, m, g or t, like \"512m\", \"4g\" or \"1.5GiB\"",
                "ragagent.json:5:29: container.cpus: must be a number of cores like 1.5, or null, but is a string; remove the quotes",
                "ragagent.json:6:28: container.volumes[0].host: must be an absolute path, beginning with '/', or the name of a Docker volume, but is \"da/ta\"",
                "ragagent.json:6:50: container.volumes[0].container: \"/app/data\" would hide the agent files that the image ships in /app/data/agents; "
                + "mount its subfolders one by one: /app/data/doc_raw, /app/data/chroma_db, /app/data/splade_db, /app/data/memory, /app/data/logs",
                "ragagent.json:7:20: container.stopTimeout: must be a duration like \"20s\", but is a number; write \"20s\"",
                "ragagent.json:8:13: container.name: must be 2 to 128 letters, digits, '_', '.' or '-', beginning with a letter or digit, but is \"a\"",
                "ragagent.json:8:18: container.name: duplicate key: it is set twice on line 8; remove one",
                "ragagent.json:10:3: port: unknown key here; did you mean container.port?",
                "ragagent.json:11:24: update.every: must be from 10s to 168h, but is \"1s\"",
            ],
            lines);
    }
}
