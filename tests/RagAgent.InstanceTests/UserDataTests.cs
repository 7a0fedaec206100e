using System.Security.Cryptography;
using RagAgent.InstanceTests.Support;
using RagAgent.IntegrationTests.Cloud;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>Runs the scripts of the stack's user data in the order of cloud-init, without cloud-init itself.</summary>
public sealed class UserDataTests
{
    private const string Disk = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0";

    private const string Label = "/dev/disk/by-label/ragstream";

    private const string Released = "https://example.com/ragagent-0.1.0-linux-x64.tar.gz";

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task User_data_sets_up_a_plain_machine_and_the_app_never_serves_without_its_data_disk()
    {
        await using var machine = await Machine.BakeAsync();
        await using var disk = await LoopDisk.CreateAsync(Path.Combine(machine.RootFolder, "..", "data"));
        await machine.PowerOnAsync();
        await machine.RunCheckedAsync("sh", "-c", "/usr/share/ragagent/uninstall.sh && rm -rf /etc/ragagent.json /var/lib/ragstream");
        // As udev would.
        await machine.RunCheckedAsync("sh", "-c", $"mkdir -p /dev/disk/by-id /dev/disk/by-label && mknod {Disk} b 7 {disk.Number} && mknod {Label} b 7 {disk.Number}");
        File.Copy(Machine.Package, machine.RootFolder + "/root/released.tar.gz");
        var data = UserDataScripts.FromStack(CloudFormationTemplate.Stack(("PackageUrl", Released),
            ("PackageSha256", Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Machine.Package, TestCancellation))))));

        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("ext4", await machine.RunCheckedAsync("findmnt", "--noheadings", "--output", "FSTYPE", "/var/lib/ragstream"));

        machine.WriteConfig(data.File("/etc/ragagent.json"));
        await machine.RunCheckedAsync("bash", "-c", RunScript(data));
        await machine.PushAsync("1");
        await machine.WaitUntilServingAsync("1");
        Assert.Equal("10001:10001 750", await machine.RunCheckedAsync("stat", "--format", "%u:%g %a", "/var/lib/ragstream/chroma_db"));

        // A boot at which the disk appears late. The disk already has a file system, and its data stays.
        await machine.RunCheckedAsync(
            "sh",
            "-c",
            "echo precious >/var/lib/ragstream/memory/kept && systemctl stop ragagent.socket ragagent.service && docker rm --force ragstream && umount /var/lib/ragstream");
        await machine.RunCheckedAsync("systemctl", "start", "ragagent");
        await machine.WaitForStatusAsync("is on a disk that is not mounted");
        Assert.Equal(503, (await machine.GetAsync()).Status);
        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("precious", await machine.RunCheckedAsync("cat", "/var/lib/ragstream/memory/kept"));
        Assert.Equal("1", await machine.RunCheckedAsync("grep", "--count", "/var/lib/ragstream", "/etc/fstab"));
        await machine.WaitUntilServingAsync("1");

        // A volume created from a snapshot has another id and the same label.
        await machine.RunCheckedAsync("sh", "-c", $"systemctl stop ragagent.socket ragagent.service && docker rm --force ragstream && umount /var/lib/ragstream && rm {Disk}");
        await machine.RunCheckedAsync("mount", "/var/lib/ragstream");   // from fstab, as systemd does at boot
        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("precious", await machine.RunCheckedAsync("cat", "/var/lib/ragstream/memory/kept"));
    }

    [Fact]
    public async Task User_data_refuses_a_package_whose_checksum_does_not_match()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();
        await machine.RunCheckedAsync("/usr/share/ragagent/uninstall.sh");
        File.Copy(Machine.Package, machine.RootFolder + "/root/released.tar.gz");

        var result = await machine.RunAsync("bash", "-c", RunScript(
            UserDataScripts.FromStack(CloudFormationTemplate.Stack(("PackageUrl", Released), ("PackageSha256", new string('0', 64))))));

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("did NOT match", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(machine.RootFolder + "/usr/bin/ragagent"));
    }

    /// <summary>The script with the package from a file instead of the release's URL.</summary>
    private static string RunScript(UserDataScripts data) =>
        data.RunScript.Replace(Released, "file:///root/released.tar.gz", StringComparison.Ordinal);

    /// <summary>A small loop device without a file system.</summary>
    private sealed class LoopDisk(string device) : IAsyncDisposable
    {
        /// <summary>The minor device number.</summary>
        public string Number => device["/dev/loop".Length..];

        public static async Task<LoopDisk> CreateAsync(string file)
        {
            await using (var created = File.Create(file))
            {
                created.SetLength(64 << 20);
            }
            return new LoopDisk(
                (await ProcessRunner.RunAsync("losetup", ["--find", "--show", file], stopping: TestCancellation)).AssertSucceeded());
        }

        public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync("losetup", ["--detach", device]);
    }
}
