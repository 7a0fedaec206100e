using System.Text.Json.Nodes;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary><c>ragagent export</c> as seen from a shell.</summary>
public sealed class ExportCommandTests : ProgramTestBase
{
    public static readonly TheoryData<string> All = ["ecs task-definition", "ecs target-group", "ecs service", "kubernetes"];

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [MemberData(nameof(All))]
    public async Task Export_prints_the_document_to_standard_output_and_notes_to_standard_error(string target)
    {
        var file = WriteConfig("""{ "image": "app" }""");

        var run = await RunAsync(["export", .. target.Split(' '), "--config", file]);

        Assert.Equal(0, run.ExitCode);
        Assert.NotEmpty(JsonNode.Parse(run.Output)!.AsObject());
        Assert.StartsWith("Fill in:\n  <", run.Error, StringComparison.Ordinal);
        Assert.Equal(target != "ecs service", run.Error.Contains("\nDifferences:\n  ", StringComparison.Ordinal));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [MemberData(nameof(All))]
    public async Task Export_rejects_an_invalid_configuration_like_config_check(string target)
    {
        var file = WriteConfig("""{ "image": "app", "bogus": 1 }""");
        var check = await RunAsync("config", "check", file);

        Assert.Equal(new ProgramResult(78, "", check.Error), await RunAsync(["export", .. target.Split(' '), "-c", file]));
        Assert.Contains(":1:19: bogus: unknown key", check.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Export_reports_a_missing_configuration()
    {
        var run = await RunAsync("export", "kubernetes", "-c", Path.Combine(Folder.FullName, "missing.json"));

        Assert.Equal((78, ""), (run.ExitCode, run.Output));
        Assert.Contains("there is no such file", run.Error, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("nomad", "Unknown command 'ragagent export nomad'.", "ragagent export")]
    [InlineData("ecs tasks", "Unknown command 'ragagent export ecs tasks'.", "ragagent export ecs")]
    [InlineData("kubernetes --account 12", "--account must be an account ID of twelve digits.", "ragagent export kubernetes")]
    [InlineData("kubernetes --region eu-central-1a", "--region must be a region, not an availability zone.", "ragagent export kubernetes")]
    [InlineData("ecs service --cluster ''", "--cluster is empty.", "ragagent export ecs service")]
    [InlineData("ecs service --subnet ''", "--subnet is empty.", "ragagent export ecs service")]
    public async Task Wrong_usage_of_export_prints_one_sentence_and_no_document(string arguments, string sentence, string command)
    {
        var run = await RunAsync(["export", .. arguments.Split(' ').Select(word => word.Trim('\''))]);

        Assert.Equal(new ProgramResult(64, "", $"ragagent: {sentence}\nSee '{command} --help'.\n"), run);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("export")]
    [InlineData("export", "ecs")]
    public async Task Export_without_a_target_prints_help(params string[] arguments)
    {
        var run = await RunAsync(arguments);

        Assert.Equal(64, run.ExitCode);
        Assert.Contains("Commands:", run.Output, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Options_of_export_replace_the_placeholders()
    {
        var file = WriteConfig("""{ "image": "app" }""");

        var options = "--cluster rag --target-group arn:tg --subnet subnet-1 --subnet subnet-2 --security-group sg-1";
        var run = await RunAsync(["export", "ecs", "service", "-c", file, .. options.Split(' ')]);

        Assert.DoesNotContain('<', run.Output + run.Error);
        Assert.Contains("subnet-2", run.Output, StringComparison.Ordinal);
    }
}
