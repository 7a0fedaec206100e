using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary><c>ragagent volumes</c>, as root, because only root can change the owner of a folder.</summary>
public sealed class VolumesCommandTests : ProgramTestBase
{
    private string Data => Path.Combine(Folder.FullName, "data");

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Missing_folders_are_created_for_the_apps_user_and_existing_ones_stay_unchanged()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can change the owner of a folder.");
        var existing = Directory.CreateDirectory(Path.Combine(Folder.FullName, "existing")).FullName;
        File.SetUnixFileMode(existing, UnixFileMode.UserRead);
        var file = WriteWith($$"""
            "user": "12345:54321",
            "volumes": [
              { "host": "{{Data}}/logs", "container": "/app/data/logs" },
              { "host": "{{existing}}", "container": "/cache" },
              { "host": "models", "container": "/models" }
            ]
            """);

        Assert.Equal(new ProgramResult(0, $"{Data}/logs: created for the app (12345:54321)\n", ""), await RunAsync("volumes", "--config", file));
        Assert.Equal("12345 54321 750\n0 0 755\n0 0 400\n", (await RunInShellAsync($"stat --format='%u %g %a' {Data}/logs {Data} {existing}")).Output);
        Assert.Equal(new ProgramResult(0, "Nothing to do: all folders of container.volumes exist.\n", ""), await RunAsync("volumes", "--config", file));
        Assert.Equal(new ProgramResult(0, "", ""), await RunAsync("volumes", "--config", file, "--before-start"));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(
        "\"user\": \"app\", \"volumes\": [ { \"host\": \"DATA\", \"container\": \"/a\" } ]",
        "DATA",
        "its owner is unknown because container.user (\"app\") is a name in the image")]
    [InlineData(
        "\"volumes\": [ { \"host\": \"FOLDER\", \"container\": \"/a\" }, { \"host\": \"DATA\", \"container\": \"/b\" } ]",
        "DATA",
        "the app can write to its parent FOLDER and could redirect it")]
    public async Task A_folder_that_must_not_be_created_is_reported_with_the_reason(string container, string folder, string why)
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can change the owner of a folder.");
        var run = await RunAsync("volumes", "--config", WriteWith(FillIn(container)));

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"ragagent: The folder {FillIn(folder)} was not created: {FillIn(why)}. ", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));

        string FillIn(string text) =>
            text.Replace("DATA", Data, StringComparison.Ordinal).Replace("FOLDER", Folder.FullName, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_folder_that_can_not_be_created_is_reported_with_the_commands_to_run()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can change the owner of a folder.");
        File.WriteAllText(Data, "");

        var run = await RunAsync("volumes", "--config", WriteWith($$""" "volumes": [ { "host": "{{Data}}/logs", "container": "/a" } ] """));

        var commands = $"mkdir -p {Data}/logs && chown 10001:10001 {Data}/logs";
        var error = $"ragagent: Could not create the folder {Data}/logs: Not a directory. Create it by hand: {commands}\n";
        Assert.Equal(new ProgramResult(1, "", error), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_invalid_configuration_is_an_error_except_before_the_agents_start()
    {
        var file = WriteConfig("{ \"imag\": 1 }");

        Assert.Equal(78, (await RunAsync("volumes", "--config", file)).ExitCode);
        Assert.Equal(new ProgramResult(0, "", ""), await RunAsync("volumes", "--config", file, "--before-start"));
    }

    private string WriteWith(string container) => WriteConfig($$"""{ "image": "app", "container": { {{container}} } }""");
}
