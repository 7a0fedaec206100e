using System.Text.Json.Nodes;
using RagAgent.Configuration;
using RagAgent.Export;
using RagAgent.Export.Ecs;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Export;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Export;

/// <summary>The aws command validates the exported documents against its own model of each call and sends them unchanged.</summary>
public sealed class AwsCliInputTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("export-");
    private RequestRecorder _aws = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public static readonly TheoryData<string> Configurations = ["smallest", "sample", "everything"];

    public async ValueTask InitializeAsync() => _aws = await RequestRecorder.StartAsync(TestCancellation);

    public async ValueTask DisposeAsync()
    {
        await _aws.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task The_aws_command_registers_an_exported_task_definition_unchanged(string configuration)
    {
        var exported = EcsTaskDefinition.Create(ConfigFor(configuration), new AwsLocation(), null, null).Document;

        (await AwsAsync("ecs", "register-task-definition", exported)).AssertSucceeded();

        Assert.Equal("AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition", _aws.Target);
        AssertSame(exported, _aws.Body);
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task The_aws_command_creates_an_exported_service_unchanged(string configuration)
    {
        var exported = EcsService.Create(ConfigFor(configuration), null, null, [], []).Document;

        (await AwsAsync("ecs", "create-service", exported)).AssertSucceeded();

        var sent = JsonNode.Parse(_aws.Body)!.AsObject();
        // The command adds a client token to make the call idempotent.
        sent.Remove("clientToken");
        Assert.Equal("AmazonEC2ContainerServiceV20141113.CreateService", _aws.Target);
        AssertSame(exported, sent.ToJsonString());
    }

    [Theory]
    [MemberData(nameof(Configurations))]
    public async Task The_aws_command_creates_an_exported_target_group_unchanged(string configuration)
    {
        var exported = EcsTargetGroup.Create(ConfigFor(configuration), null).Document;

        (await AwsAsync("elbv2", "create-target-group", exported)).AssertSucceeded();

        var sent = Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(_aws.Body)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        var expected = exported.Where(member => member.Key != "Matcher")
            .ToDictionary(member => member.Key, member => member.Value!.ToString());
        (expected["Action"], expected["Version"], expected["Matcher.HttpCode"]) = (
            "CreateTargetGroup", "2015-12-01", (string)exported["Matcher"]!["HttpCode"]!);
        Assert.Equal(expected.OrderBy(pair => pair.Key, StringComparer.Ordinal), sent.OrderBy(pair => pair.Key, StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("cpu", "1024", "Invalid type for parameter cpu")]
    [InlineData("containerDefinition", "[]", "Unknown parameter in input: \"containerDefinition\"")]
    [InlineData("family", null, "Missing required parameter in input: \"family\"")]
    public async Task The_aws_command_rejects_a_wrong_member(string member, string? value, string expected)
    {
        var exported = EcsTaskDefinition.Create(ConfigFor("everything"), new AwsLocation(), null, null).Document;
        exported.Remove(member);
        if (value is not null)
        {
            exported[member] = JsonNode.Parse(value);
        }

        var failure = (await AwsAsync("ecs", "register-task-definition", exported)).AssertFailed();

        Assert.Contains(expected, failure, StringComparison.Ordinal);
        Assert.Equal("", _aws.Body);
    }

    private static AgentConfig ConfigFor(string configuration) => ExportSamples.Read(configuration switch
    {
        "smallest" => ExportSamples.Minimal,
        "sample" => RepositoryFiles.Read("packaging/ragagent.json"),
        _ => ExportSamples.Complete,
    });

    private async Task<ProcessResult> AwsAsync(string service, string command, JsonObject input)
    {
        var file = Path.Combine(_folder.FullName, "input.json");
        await File.WriteAllTextAsync(file, JsonFormatter.Format(input), TestCancellation);
        string[] arguments = ["--endpoint-url", _aws.Address, "--output", "json", service, command, "--cli-input-json", $"file://{file}"];
        return await ProcessRunner.RunAsync("/usr/bin/aws", arguments, new Dictionary<string, string>
        {
            ["HOME"] = _folder.FullName,
            ["LANG"] = "C.UTF-8",
            ["AWS_REGION"] = "eu-central-1",
            ["AWS_PAGER"] = "",
            ["AWS_ACCESS_KEY_ID"] = "AKIDNOBODY",
            ["AWS_SECRET_ACCESS_KEY"] = "none",
        }, stopping: TestCancellation);
    }

    private static void AssertSame(JsonNode expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(actual)), $"Exported {expected.ToJsonString()} and sent {actual}");
}
