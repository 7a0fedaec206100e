using RagAgent.Common;
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
                CheckOutcome.Failed, "volume-not-writable", $"The app runs as 10001:10001 and may not write to {_folder}.",
                "Run 'sudo ragagent volumes --fix-owner'."),
            (closed.Outcome, closed.Code, closed.What, closed.Remedy));
        Assert.Equal(CheckOutcome.Ok, read.Outcome);
    }

    [Fact]
    public async Task A_file_of_another_owner_deep_in_a_folder_is_reported()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root's files are another owner's here.");
        Directory.CreateDirectory($"{_folder}/below");
        File.WriteAllText($"{_folder}/below/chroma.sqlite3", "");
        File.CreateSymbolicLink($"{_folder}/link", "/etc/passwd");

        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data"), findForeign: VolumeFolders.FindForeignAsync);
        var (changed, error) = await VolumeFolders.FixOwnerAsync(_folder, "10001:10001", TestContext.Current.CancellationToken);
        var after = await CheckAsync(new VolumeConfig(_folder, "/app/data"), findForeign: VolumeFolders.FindForeignAsync);

        Assert.Equal(("volume-not-writable", CheckOutcome.Failed), (result.Code, result.Outcome));
        Assert.Equal((3, null), (changed, error));
        Assert.Equal(CheckOutcome.Ok, after.Outcome);
        Assert.Equal(0, (await ChildProcess.RunAsync("sh", ["-c", "[ $(stat -c %u /etc/passwd) = 0 ]"], TestContext.Current.CancellationToken)).ExitCode);
    }

    [Fact]
    public async Task An_app_that_runs_as_the_login_user_is_noted()
    {
        var result = await CheckAsync(new VolumeConfig(_folder, "/app/data"), user: "1000:1000");

        Assert.Equal(CheckOutcome.Note, result.Outcome);
        Assert.EndsWith("The app runs as 1000, which is also the login user of Ubuntu and Amazon Linux.", result.What, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_folder_belongs_to_whom_the_others_belong()
    {
        Assert.SkipUnless(System.Environment.IsPrivilegedProcess, "Only root can change the owner of a folder.");
        await VolumeFolders.CreateAsync($"{_folder}/old", "1000:1000", TestContext.Current.CancellationToken);
        var container = new ContainerConfig { Volumes = [new VolumeConfig($"{_folder}/old", "/a"), new VolumeConfig($"{_folder}/new", "/b")] };

        Assert.Equal("1000:1000", await VolumeFolders.OwnerOfNewAsync(container, TestContext.Current.CancellationToken));
        Assert.Equal("5:6", await VolumeFolders.OwnerOfNewAsync(container with { User = "5:6" }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(null, "10001:10001")]
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

    private static Task<CheckResult> CheckAsync(bool canWrite, params VolumeConfig[] volumes) =>
        CheckAsync(volumes, canWrite, (_, _, _) => Task.FromResult<string?>(null), "10001:10001");

    private static Task<CheckResult> CheckAsync(
        VolumeConfig volume, string user = "10001:10001", Func<string, string, CancellationToken, Task<string?>>? findForeign = null) =>
        CheckAsync([volume], canWrite: true, findForeign ?? ((_, _, _) => Task.FromResult<string?>(null)), user);

    private static Task<CheckResult> CheckAsync(
        VolumeConfig[] volumes, bool canWrite, Func<string, string, CancellationToken, Task<string?>> findForeign, string user)
    {
        var config = new AgentConfig { Image = "app", Container = new ContainerConfig { User = user, Volumes = volumes } };
        var check = new VolumesCheck(config, new EngineConnection(TimeProvider.System))
        {
            CanWrite = (_, _, _) => Task.FromResult<bool?>(canWrite),
            FindForeign = findForeign,
        };
        return check.RunAsync(TestContext.Current.CancellationToken);
    }
}
