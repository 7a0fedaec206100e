using System.Text.Json.Nodes;
using RagAgent.Configuration.Binding;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.Export.Kubernetes;
using RagAgent.Tests.Configuration;
using Xunit;

namespace RagAgent.Tests.Export;

/// <summary>No setting is lost without a remark.</summary>
public sealed class ExportCoverageTests
{
    private static readonly string[] IgnoredKeys = ["$schema"];

    /// <summary>Each key with a value, for each platform.</summary>
    public static TheoryData<string, string> Keys()
    {
        var rows = new TheoryData<string, string>();
        foreach (var key in KnownKeys.All.Where(key => !KnownKeys.IsSection(key) && !IgnoredKeys.Contains(key)))
        {
            rows.Add("ecs", key);
            rows.Add("kubernetes", key);
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void Every_configuration_key_changes_a_document_or_gets_a_remark(string platform, string key)
    {
        var documented = DocumentedConfigKey.All()[key];
        var without = Export(platform, Base(key));
        var with = Export(platform, SampleConfigKeys.ConfigWithOnly(key, documented.Example!));

        // Documents have no values of secrets. Their sources are in the command that creates the Secret.
        var changesCommand = KnownKeys.IsSecretSource(key) && !without.Steps.SequenceEqual(with.Steps);
        var changesDocument = !JsonNode.DeepEquals(without.Documents, with.Documents);
        // Setting a key may also remove a remark.
        var hasRemark = with.Remarks.Concat(without.Remarks).SelectMany(remark => remark.Keys)
            .Any(about => SampleConfigKeys.KeyInMessage(key) == about || SampleConfigKeys.KeyInMessage(key).StartsWith(about + ".", StringComparison.Ordinal));

        Assert.True(
            changesDocument || changesCommand || hasRemark,
            $"{platform} ignores {key}. Its remarks are about: {string.Join("; ", with.Remarks.SelectMany(remark => remark.Keys))}");
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void Every_remark_refers_to_known_keys_and_is_a_single_line(string platform)
    {
        var remarks = Export(platform, ExportSamples.Minimal).Remarks.Concat(Export(platform, ExportSamples.Complete).Remarks).ToArray();

        Assert.All(remarks, remark => Assert.False(string.IsNullOrWhiteSpace(remark.Sentence)));
        Assert.All(remarks, remark => Assert.DoesNotContain('\n', remark.Sentence));
        Assert.All(remarks.SelectMany(remark => remark.Keys), key => Assert.True(IsKnown(key), key));
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void The_remark_on_a_lost_password_comes_first(string platform)
    {
        var first = Export(platform, ExportSamples.Complete).Remarks[0];

        Assert.Equal(["access"], first.Keys);
        Assert.StartsWith("THE APP WILL BE OPEN TO EVERYONE", first.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ecs")]
    [InlineData("kubernetes")]
    public void Remarks_on_several_keys_are_merged(string platform)
    {
        var remarks = Export(platform, ExportSamples.Complete).Remarks;

        Assert.Equal(remarks.Count, remarks.Select(remark => remark.Sentence).Distinct().Count());
        Assert.Equal(6, Assert.Single(remarks, remark => remark.Keys[0].EndsWith(".delivery", StringComparison.Ordinal)).Keys.Count);
    }

    private static bool IsKnown(string key) =>
        KnownKeys.All.Contains(key.Split('.') is ["secrets", _, var last] ? $"{KnownKeys.Secret}.{last}" : key);

    /// <summary>The file of <see cref="SampleConfigKeys.ConfigWithOnly"/> without the key.</summary>
    private static string Base(string key) =>
        key.StartsWith("secrets.", StringComparison.Ordinal) && !key.EndsWith(".ssm", StringComparison.Ordinal)
            ? """{ "image": "app", "secrets": { "OPENAI_API_KEY": { "ssm": "/a" } } }"""
            : """{ "image": "app" }""";

    private static (JsonNode Documents, IReadOnlyList<string> Steps, IReadOnlyList<Remark> Remarks) Export(string platform, string text)
    {
        var config = ExportSamples.Read(text);
        ExportResult[] all = platform == "ecs"
            ?
            [
                EcsTaskDefinition.Create(config, new AwsLocation(), null, null),
                EcsTargetGroup.Create(config, null),
                EcsService.Create(config, null, null, [], []),
            ]
            : [KubernetesManifests.Create(config, new AwsLocation())];
        return (
            new JsonArray([.. all.Select(result => (JsonNode)result.Document)]),
            [.. all.SelectMany(result => result.Steps)],
            [.. all.SelectMany(result => result.Remarks)]);
    }
}
