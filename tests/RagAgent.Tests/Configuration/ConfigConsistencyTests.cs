using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using RagAgent.Configuration;
using RagAgent.Configuration.Binding;
using RagAgent.Tests.Support;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>Reader, records, schema, sample and documentation agree.</summary>
public partial class ConfigConsistencyTests
{
    private static readonly JsonObject Schema = SchemaKeys.Load();
    private static readonly IReadOnlyDictionary<string, JsonObject> SchemaByKey = SchemaKeys.Keys(Schema);
    private static readonly IReadOnlyDictionary<string, DocumentedConfigKey> Documented = DocumentedConfigKey.All();
    private static readonly string[] AllKeys = [.. KnownKeys.All];

    // The sample has RAGstream's values for these.
    private static readonly string[] KeysNotAtDefault = ["$schema", "image", "secrets", "container.volumes"];

    [Fact]
    public void The_sample_is_valid_and_has_the_defaults_of_the_records()
    {
        var sample = AssertAccepted(RepositoryFiles.Read("packaging/ragagent.json"));
        var defaults = new AgentConfig { Image = "ragstream-web" };

        Assert.Equal(defaults.Image, sample.Image);
        Assert.Equal(new Dictionary<string, SecretConfig> { ["OPENAI_API_KEY"] = new(SecretSource.Ssm, "/ragstream/OPENAI_API_KEY") }, sample.Secrets);
        Assert.Equal(
            new[] { "doc_raw", "chroma_db", "splade_db", "memory", "logs" }.Select(name => new VolumeConfig($"/var/lib/ragstream/{name}", $"/app/data/{name}")),
            sample.Container.Volumes);
        Assert.Equal(defaults.Container, sample.Container with { Volumes = defaults.Container.Volumes });
        string[] compared = ["Image", "Secrets", "Container"];
        foreach (var section in typeof(AgentConfig).GetProperties().Where(property => !compared.Contains(property.Name)))
        {
            Assert.Equal(section.GetValue(defaults), section.GetValue(sample));
        }

        var tree = SampleTree();
        Assert.Equal(new IdleConfig(), AssertAccepted(SampleConfigKeys.ConfigWithOnly("idle", tree["idle"]!.ToJsonString())).Idle);
        Assert.Equal(
            new DnsConfig { Zone = "Z0123456789ABCDEFGHIJ", Name = "rag.example.com" },
            AssertAccepted(SampleConfigKeys.ConfigWithOnly("dns", tree["dns"]!.ToJsonString())).Dns);
    }

    [Fact]
    public void The_sample_has_every_key()
    {
        var sample = SampleTree();
        string[] shown = [.. AllKeys.Where(key => SampleConfigKeys.Find(sample, key) is not null)];

        // The sample's secrets are strings. The keys of the object form are in comments.
        string[] sources = ["secrets.NAME.", "access.password."];
        Assert.Equal(AllKeys.Where(key => !sources.Any(source => key.StartsWith(source, StringComparison.Ordinal))), shown);
        var text = RepositoryFiles.Read("packaging/ragagent.json");
        Assert.All(KnownKeys.InSection(KnownKeys.Secret), key => Assert.Contains($"\"{key}\":", text, StringComparison.Ordinal));
    }

    [Fact]
    public void The_schema_has_exactly_the_keys_of_the_reader() => Assert.Equal(AllKeys.Order(), SchemaByKey.Keys.Order());

    [Fact]
    public void The_documentation_has_exactly_the_keys_of_the_reader() => Assert.Equal(AllKeys.Order(), Documented.Keys.Order());

    [Fact]
    public void Every_key_of_the_schema_has_a_description() =>
        Assert.All(SchemaByKey, key => Assert.False(string.IsNullOrWhiteSpace(key.Value["description"]?.GetValue<string>()), key.Key));

    [Fact]
    public void The_schema_and_the_documentation_have_the_defaults_of_the_sample()
    {
        var sample = SampleTree();
        foreach (var key in AllKeys.Where(key => !IsSection(key) && !KeysNotAtDefault.Contains(key)))
        {
            if (SampleConfigKeys.Find(sample, key) is not { } shown || Documented[key].Default.StartsWith("none", StringComparison.Ordinal))
            {
                continue;
            }

            Assert.Equal((key, Text(shown.Value)), (key, Text(SchemaByKey[key]["default"])));
            Assert.Equal((key, Text(shown.Value)), (key, Text(Documented[key].DefaultValue)));
            Assert.True(SchemaByKey[key].ContainsKey("default"), $"{key} has no default in the schema");
        }
    }

    [Fact]
    public void Every_example_of_the_documentation_is_accepted()
    {
        foreach (var key in Documented.Values.Where(key => key.Example is not null))
        {
            var result = Read(SampleConfigKeys.ConfigWithOnly(key.Name, key.Example!));
            Assert.True(result.Errors.Count == 0, $"{key.Name}: {string.Join("; ", result.Errors)}");
        }
    }

    [Fact]
    public void Every_key_is_read_because_it_rejects_nonsense()
    {
        foreach (var key in AllKeys)
        {
            var nonsense = IsSection(key) || key is "secrets" or "environment" ? "7" : "{ \"zz\": [ [] ] }";
            var result = Read(SampleConfigKeys.ConfigWithOnly(key, nonsense));
            Assert.True(result.Errors.Any(problem => problem.Key == SampleConfigKeys.KeyInMessage(key)), $"{key} = {nonsense} is accepted");
        }
    }

    [Fact]
    public void The_schema_has_the_choices_and_limits_of_the_reader()
    {
        // Choices, and limits of whole numbers. A schema can't express the other rules.
        foreach ((var key, var schema) in SchemaByKey)
        {
            foreach (var word in (schema["enum"] as JsonArray ?? []).Select(choice => choice!.ToJsonString()))
            {
                Assert.Empty(Read(SampleConfigKeys.ConfigWithOnly(key, word)).Errors);
            }

            if (schema["type"]?.ToJsonString() != "\"integer\"")
            {
                continue;
            }

            var (min, max) = (schema["minimum"]!.GetValue<long>(), schema["maximum"]!.GetValue<long>());
            Assert.Empty(Read(SampleConfigKeys.ConfigWithOnly(key, $"{min}")).Errors);
            Assert.Empty(Read(SampleConfigKeys.ConfigWithOnly(key, $"{max}")).Errors);
            Assert.NotEmpty(Read(SampleConfigKeys.ConfigWithOnly(key, $"{min - 1}")).Errors);
            Assert.NotEmpty(Read(SampleConfigKeys.ConfigWithOnly(key, $"{max + 1}")).Errors);
        }
    }

    private static bool IsSection(string key) =>
        AllKeys.Any(other => other.StartsWith(key + ".", StringComparison.Ordinal)) && key is not "secrets";

    /// <summary>In the sample, idle and dns are null. Comments above them have objects with the defaults.</summary>
    private static JsonObject SampleTree()
    {
        var sample = SampleConfigKeys.Parse(RepositoryFiles.Read("packaging/ragagent.json"));
        Assert.Null(sample["idle"]);
        sample["idle"] = JsonNode.Parse(IdleInSample().Match(RepositoryFiles.Read("packaging/ragagent.json")).Groups[1].Value);
        Assert.Null(sample["dns"]);
        sample["dns"] = JsonNode.Parse(DnsInSample().Match(RepositoryFiles.Read("packaging/ragagent.json")).Groups[1].Value);
        return sample;
    }

    [GeneratedRegex(@"^ *// +(\{ ""stopAfter"": .*\})$", RegexOptions.Multiline)]
    private static partial Regex IdleInSample();

    [GeneratedRegex(@"^ *// +(\{ ""zone"": .*\})$", RegexOptions.Multiline)]
    private static partial Regex DnsInSample();

    private static string Text(JsonNode? node) => node?.ToJsonString() ?? "null";
}
