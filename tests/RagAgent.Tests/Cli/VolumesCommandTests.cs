using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Cli;

/// <summary><c>ragagent volumes</c>, as root, who alone can give a folder away.</summary>
public sealed class VolumesCommandTests : ProgramTestBase
{
    private string Data => Path.Combine(Folder.FullName, "data");

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_folder_that_is_missing_is_made_as_the_apps_own_and_one_that_is_there_is_left_alone()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can give a folder away.");
        var there = Directory.CreateDirectory(Path.Combine(Folder.FullName, "there")).FullName;
        File.SetUnixFileMode(there, UnixFileMode.UserRead);
        var file = WriteWith($$""" "user": "12345:54321", "volumes": [ { "host": "{{Data}}/logs", "container": "/app/data/logs" }, { "host": "{{there}}", "container": "/cache" }, { "host": "models", "container": "/models" } ] """);

        Assert.Equal(new ProgramResult(0, $"{Data}/logs: created for the app (12345:54321)\n", ""), await RunAsync("volumes", "--config", file));
        Assert.Equal("12345 54321 750\n0 0 755\n0 0 400\n", (await RunInShellAsync($"stat --format='%u %g %a' {Data}/logs {Data} {there}")).Output);
        Assert.Equal(new ProgramResult(0, "Nothing to do: all folders of container.volumes exist.\n", ""), await RunAsync("volumes", "--config", file));
        Assert.Equal(new ProgramResult(0, "", ""), await RunAsync("volumes", "--config", file, "--before-start"));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("\"user\": \"app\", \"volumes\": [ { \"host\": \"DATA\", \"container\": \"/a\" } ]", "DATA", "its owner is unknown because container.user (\"app\") is a name in the image")]
    [InlineData("\"volumes\": [ { \"host\": \"FOLDER\", \"container\": \"/a\" }, { \"host\": \"DATA\", \"container\": \"/b\" } ]", "DATA", "the app can write to its parent FOLDER and could redirect it")]
    public async Task What_is_not_to_be_made_is_told_with_its_reason(string container, string folder, string why)
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can give a folder away.");
        string Filled(string text) => text.Replace("DATA", Data, StringComparison.Ordinal).Replace("FOLDER", Folder.FullName, StringComparison.Ordinal);

        var run = await RunAsync("volumes", "--config", WriteWith(Filled(container)));

        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith($"ragagent: The folder {Filled(folder)} was not created: {Filled(why)}. ", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Data));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task What_can_not_be_made_is_told_with_what_to_do_by_hand()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can give a folder away.");
        File.WriteAllText(Data, "");

        var run = await RunAsync("volumes", "--config", WriteWith($$""" "volumes": [ { "host": "{{Data}}/logs", "container": "/a" } ] """));

        Assert.Equal(new ProgramResult(1, "", $"ragagent: The folder {Data}/logs can't be made: Not a directory. Make it by hand: mkdir -p {Data}/logs && chown 1000:1000 {Data}/logs\n"), run);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_configuration_that_can_not_be_used_is_told_here_and_left_to_the_agent_before_its_start()
    {
        var file = WriteConfig("{ \"imag\": 1 }");

        Assert.Equal(78, (await RunAsync("volumes", "--config", file)).ExitCode);
        Assert.Equal(new ProgramResult(0, "", ""), await RunAsync("volumes", "--config", file, "--before-start"));
    }

    private string WriteWith(string container) => WriteConfig($$"""{ "image": "app", "container": { {{container}} } }""");
}
