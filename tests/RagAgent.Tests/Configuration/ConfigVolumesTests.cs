using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

public class ConfigVolumesTests
{
    [Theory]
    [InlineData("/app/data")]
    [InlineData("/app/data/")]
    [InlineData("//app//data")]
    [InlineData("/app")]
    public void A_volume_over_the_data_folder_is_rejected_with_the_five_subfolders_to_use(string path) =>
        Assert.Equal(
            $"container.volumes[0].container: \"{path}\" would hide the agent files that the image ships in /app/data/agents; mount its subfolders one by one: "
            + "/app/data/doc_raw, /app/data/chroma_db, /app/data/splade_db, /app/data/memory, /app/data/logs",
            AssertSingleError(ConfigWithVolume("\"/srv\"", $"\"{path}\"")));

    [Fact]
    public void A_Docker_volume_over_the_data_folder_is_rejected() =>
        Assert.Contains("would hide the agent files", AssertSingleError(ConfigWithVolume("\"ragdata\"", "\"/app/data\"")), StringComparison.Ordinal);

    [Theory]
    [InlineData("/app/data/logs")]
    [InlineData("/app/database")]
    [InlineData("/application")]
    [InlineData("/cache")]
    public void Folders_next_to_the_data_folder_can_be_mounted(string path) =>
        Assert.Equal(path, Assert.Single(AssertAccepted(ConfigWithVolume("\"/srv\"", $"\"{path}\"")).Container.Volumes).Container);

    [Theory]
    [InlineData("\"/\"", "must be a folder below '/', but is \"/\"; the whole file system can't be mounted")]
    [InlineData("\"data\"", "must be an absolute path, beginning with '/', but is \"data\"")]
    [InlineData("\"/cache/../app/data\"", "must be a path without '.' and '..' parts, but is \"/cache/../app/data\"; write the resolved path")]
    [InlineData("\"/a:/b\"", "must not contain ':', but is \"/a:/b\"")]
    [InlineData("1", "must be a path like \"/app/data/logs\", but is a number; put it in double quotes")]
    public void An_invalid_container_path_of_a_volume_is_rejected(string path, string expected) =>
        Assert.Equal($"container.volumes[0].container: {expected}", AssertSingleError(ConfigWithVolume("\"/srv\"", path)));

    [Theory]
    [InlineData("\"./data\"", "must be an absolute path, beginning with '/', or the name of a Docker volume, but is \"./data\"")]
    [InlineData("\"\"", "must be an absolute path, beginning with '/', or the name of a Docker volume, but is \"\"")]
    [InlineData("\"/\"", "must be a folder below '/', but is \"/\"; the whole file system can't be mounted")]
    public void An_invalid_host_path_of_a_volume_is_rejected(string host, string expected) =>
        Assert.Equal($"container.volumes[0].host: {expected}", AssertSingleError(ConfigWithVolume(host, "\"/cache\"")));

    [Fact]
    public void Two_volumes_with_the_same_container_path_are_rejected_with_the_line_of_the_first() =>
        Assert.Equal(
            "container.volumes[1].container: \"/app/data/logs\" is already used by container.volumes[0] (line 2); each folder in the container can hold one volume",
            AssertSingleError(ConfigWith(
                "\"container\": { \"volumes\": [\n{ \"host\": \"/a\", \"container\": \"/app/data/logs\" },\n"
                + "{ \"host\": \"/b\", \"container\": \"/app/data//logs/\" } ] }")));

    [Fact]
    public void A_volume_needs_host_and_container() =>
        Assert.Equal(
            [
                "container.volumes[0].host: is missing; set a folder on this machine, like \"/var/lib/ragstream/logs\", or the name of a Docker volume",
                "container.volumes[0].container: is missing; set the folder in the container, like \"/app/data/logs\"",
            ],
            AssertRejected(ConfigWith("\"container\": { \"volumes\": [ {} ] }")));

    [Fact]
    public void A_volume_in_the_syntax_of_docker_run_is_answered_with_an_example() =>
        Assert.Equal(
            "container.volumes[0]: must be an object like { \"host\": \"/srv/logs\", \"container\": \"/app/data/logs\" }, but is a string",
            AssertSingleError(ConfigWith("\"container\": { \"volumes\": [ \"/srv:/app/data/logs\" ] }")));

    private static string ConfigWithVolume(string host, string container) =>
        ConfigWith($$""" "container": { "volumes": [ { "host": {{host}}, "container": {{container}} } ] } """);
}
