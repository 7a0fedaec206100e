using RagAgent.Configuration;
using RagAgent.Containers;
using RagAgent.Diagnostics.Checks;
using Xunit;

namespace RagAgent.Tests.Containers;

public sealed class VolumesCheckTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ragagent-volumes-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Without_a_folder_of_this_machine_there_is_nothing_to_look_at() =>
        Assert.Equal(CheckOutcome.Skipped, (await CheckAsync(new VolumeConfig("models", "/cache"))).Outcome);

    [Fact]
    public async Task Folders_that_are_there_and_may_be_written_to_are_well()
    {
        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data/logs"));

        Assert.Equal(CheckOutcome.Ok, result.Outcome);
        Assert.Matches(@"^The folder exists; [0-9.]+ [kMGT]B free on the disk of /.+\.$", result.What);
    }

    [Fact]
    public async Task One_that_is_not_there_is_told_with_what_makes_it()
    {
        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data/logs"), new VolumeConfig($"{_folder}/new", "/app/data/memory"));

        Assert.Equal((CheckOutcome.Failed, "volume-missing", $"The folder {_folder}/new of container.volumes does not exist."), (result.Outcome, result.Code, result.What));
        Assert.Contains("'sudo ragagent volumes'", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_in_its_place_is_told()
    {
        File.WriteAllText($"{_folder}/file", "");

        Assert.Equal($"{_folder}/file of container.volumes is a file, but the app needs a folder.", (await CheckAsync(new VolumeConfig($"{_folder}/file", "/app/data/logs"))).What);
    }

    [Fact]
    public async Task One_that_the_app_may_not_write_to_is_told_with_what_mends_it_and_one_that_it_only_reads_may_be_closed()
    {
        var closed = await CheckAsync(mayWrite: false, new VolumeConfig(_folder, "/app/data/logs"));
        var read = await CheckAsync(mayWrite: false, new VolumeConfig(_folder, "/cache", ReadOnly: true));

        Assert.Equal((CheckOutcome.Failed, "volume-not-writable", $"The app runs as 1000:1000 and may not write to {_folder}.", $"Run 'chown -R 1000:1000 {_folder}'."), (closed.Outcome, closed.Code, closed.What, closed.Remedy));
        Assert.Equal(CheckOutcome.Ok, read.Outcome);
    }

    [Theory]
    [InlineData(null, "1000:1000")]
    [InlineData("1234", "1234:1234")]
    [InlineData("12:34", "12:34")]
    [InlineData("app", null)]
    [InlineData("1000:app", null)]
    public void Whose_a_new_folder_is(string? user, string? owner) => Assert.Equal(owner, VolumeFolders.OwnerOf(new ContainerConfig { User = user }));

    [Theory]
    [InlineData("/data/app/below", "/data/app")]
    [InlineData("/data/application", null)]
    [InlineData("/data/read/below", null)]
    [InlineData("/data/app", null)]
    public void What_lies_where_the_app_may_write_is_not_for_root_to_make(string folder, string? above) => Assert.Equal(
        above,
        VolumeFolders.WritableParent(new ContainerConfig { Volumes = [new VolumeConfig("/data/app", "/a"), new VolumeConfig("/data/read", "/b", ReadOnly: true), new VolumeConfig(folder, "/c")] }, folder));

    private static Task<CheckResult> CheckAsync(params VolumeConfig[] volumes) => CheckAsync(mayWrite: true, volumes);

    private static Task<CheckResult> CheckAsync(bool mayWrite, params VolumeConfig[] volumes)
    {
        var config = new AgentConfig { Image = "app", Container = new ContainerConfig { User = "1000:1000", Volumes = volumes } };
        return new VolumesCheck(config, new EngineConnection(TimeProvider.System)) { CanWrite = (_, _) => mayWrite }.RunAsync(TestContext.Current.CancellationToken);
    }
}
