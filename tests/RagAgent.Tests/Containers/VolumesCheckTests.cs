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
    public async Task Without_a_folder_on_this_machine_the_check_is_skipped() =>
        Assert.Equal(CheckOutcome.Skipped, (await CheckAsync(new VolumeConfig("models", "/cache"))).Outcome);

    [Fact]
    public async Task Existing_writable_folders_pass_the_check()
    {
        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data/logs"));

        Assert.Equal(CheckOutcome.Ok, result.Outcome);
        Assert.Matches(@"^The folder exists; [0-9.]+ [kMGT]B free on the disk of /.+\.$", result.What);
    }

    [Fact]
    public async Task A_missing_folder_is_reported_with_the_command_that_creates_it()
    {
        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data/logs"), new VolumeConfig($"{_folder}/new", "/app/data/memory"));

        Assert.Equal((CheckOutcome.Failed, "volume-missing", $"The folder {_folder}/new of container.volumes does not exist."), (result.Outcome, result.Code, result.What));
        Assert.Contains("'sudo ragagent volumes'", result.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_instead_of_a_folder_is_reported()
    {
        File.WriteAllText($"{_folder}/file", "");

        Assert.Equal($"{_folder}/file of container.volumes is a file, but the app needs a folder.", (await CheckAsync(new VolumeConfig($"{_folder}/file", "/app/data/logs"))).What);
    }

    [Fact]
    public async Task An_unwritable_folder_is_reported_unless_its_volume_is_read_only()
    {
        var closed = await CheckAsync(canWrite: false, new VolumeConfig(_folder, "/app/data/logs"));
        var read = await CheckAsync(canWrite: false, new VolumeConfig(_folder, "/cache", ReadOnly: true));

        Assert.Equal(
            (
                CheckOutcome.Failed, "volume-not-writable", $"The app runs as 1000:1000 and may not write to {_folder}.",
                $"Run 'chown -R 1000:1000 {_folder}'."),
            (closed.Outcome, closed.Code, closed.What, closed.Remedy));
        Assert.Equal(CheckOutcome.Ok, read.Outcome);
    }

    [Theory]
    [InlineData(null, "1000:1000")]
    [InlineData("1234", "1234:1234")]
    [InlineData("12:34", "12:34")]
    [InlineData("app", null)]
    [InlineData("1000:app", null)]
    public void The_owner_of_a_new_folder_is_the_container_user(string? user, string? owner) =>
        Assert.Equal(owner, VolumeFolders.OwnerOf(new ContainerConfig { User = user }));

    [Theory]
    [InlineData("/data/app/below", "/data/app")]
    [InlineData("/data/application", null)]
    [InlineData("/data/read/below", null)]
    [InlineData("/data/app", null)]
    public void A_folder_below_a_writable_volume_is_found(string folder, string? above)
    {
        VolumeConfig[] volumes =
            [new VolumeConfig("/data/app", "/a"), new VolumeConfig("/data/read", "/b", ReadOnly: true), new VolumeConfig(folder, "/c")];

        Assert.Equal(above, VolumeFolders.WritableParent(new ContainerConfig { Volumes = volumes }, folder));
    }

    private static Task<CheckResult> CheckAsync(params VolumeConfig[] volumes) => CheckAsync(canWrite: true, volumes);

    private static Task<CheckResult> CheckAsync(bool canWrite, params VolumeConfig[] volumes)
    {
        var config = new AgentConfig { Image = "app", Container = new ContainerConfig { User = "1000:1000", Volumes = volumes } };
        var check = new VolumesCheck(config, new EngineConnection(TimeProvider.System))
        {
            CanWrite = (_, _, _) => Task.FromResult<bool?>(canWrite),
        };
        return check.RunAsync(TestContext.Current.CancellationToken);
    }
}
