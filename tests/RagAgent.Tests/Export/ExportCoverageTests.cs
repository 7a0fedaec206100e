using System.Text.Json.Nodes;
using RagAgent.Configuration.Binding;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.Export.Kubernetes;
using RagAgent.Tests.Configuration;
using Xunit;

namespace RagAgent.Tests.Export;

/// <summary>Nothing that the configuration says is lost without a word.</summary>
public sealed class ExportCoverageTests
{
    private static readonly string[] NotRead = ["$schema"];

    /// <summary>Each key that has a value of its own, for each engine.</summary>
    public static TheoryData<string, string> Keys()
    {
        var rows = new TheoryData<string, string>();
        foreach (var key in KnownKeys.All.Where(key => !KnownKeys.IsSection(key) && !NotRead.Contains(key)))
        {
            rows.Add("ecs", key);
            rows.Add("kubernetes", key);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_key_that_is_set_changes_a_document_or_is_told(string engine, string key)
    {
        var documented = DocumentedConfigKey.All()[key];
        var without = Export(engine, Base(key));
        var with = Export(engine, SampleConfigKeys.ConfigWithOnly(key, documented.Example!));

        // The value of a secret is in no document: the way to it is in the command that makes the Secret.
        var changes = !JsonNode.DeepEquals(without.Documents, with.Documents) || (KnownKeys.IsSecretSource(key) && !without.Steps.SequenceEqual(with.Steps));
        // A key may also end what is told as long as it is not set.
        var told = with.Remarks.Concat(without.Remarks).SelectMany(remark => remark.Keys)
            .Any(about => SampleConfigKeys.KeyInMessage(key) == about || SampleConfigKeys.KeyInMessage(key).StartsWith(about + ".", StringComparison.Ordinal));

        Assert.True(changes || told, $"{engine} says nothing of {key}. It tells: {string.Join("; ", with.Remarks.SelectMany(remark => remark.Keys))}");
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void Every_remark_is_about_a_key_that_there_is_and_is_a_sentence(string engine)
    {
        var remarks = Export(engine, ExportSamples.Minimal).Remarks.Concat(Export(engine, ExportSamples.Complete).Remarks).ToArray();

        Assert.All(remarks, remark => Assert.False(string.IsNullOrWhiteSpace(remark.Sentence) || remark.Sentence.Contains('\n', StringComparison.Ordinal)));
        Assert.All(remarks.SelectMany(remark => remark.Keys), key => Assert.True(IsKnown(key), key));
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void A_password_that_is_left_behind_is_told_before_all_else(string engine)
    {
        var first = Export(engine, ExportSamples.Complete).Remarks[0];

        Assert.Equal(["access"], first.Keys);
        Assert.StartsWith("THE APP WILL BE OPEN TO EVERYONE", first.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void What_is_to_be_said_of_several_keys_is_said_once(string engine)
    {
        var remarks = Export(engine, ExportSamples.Complete).Remarks;

        Assert.Equal(remarks.Count, remarks.Select(remark => remark.Sentence).Distinct().Count());
        Assert.Equal(6, Assert.Single(remarks, remark => remark.Keys[0].EndsWith(".delivery", StringComparison.Ordinal)).Keys.Count);
    }

    private static bool IsKnown(string key) =>
        KnownKeys.All.Contains(key.Split('.') is ["secrets", _, var last] ? $"{KnownKeys.Secret}.{last}" : key);

    /// <summary>What <see cref="SampleConfigKeys.ConfigWithOnly"/> writes beside the key.</summary>
    private static string Base(string key) =>
        key.StartsWith("secrets.", StringComparison.Ordinal) && !key.EndsWith(".ssm", StringComparison.Ordinal)
            ? """{ "image": "app", "secrets": { "OPENAI_API_KEY": { "ssm": "/a" } } }"""
            : """{ "image": "app" }""";

    private static (JsonNode Documents, IReadOnlyList<string> Steps, IReadOnlyList<Remark> Remarks) Export(string engine, string text)
    {
        var config = ExportSamples.Read(text);
        ExportResult[] all = engine == "ecs"
            ? [EcsTaskDefinition.Create(config, new AwsLocation(), null, null), EcsTargetGroup.Create(config, null), EcsService.Create(config, null, null, [], [])]
            : [KubernetesManifests.Create(config, new AwsLocation())];
        return (new JsonArray([.. all.Select(one => (JsonNode)one.Document)]), [.. all.SelectMany(one => one.Steps)], [.. all.SelectMany(one => one.Remarks)]);
    }
}
