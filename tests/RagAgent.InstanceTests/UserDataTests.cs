using System.Security.Cryptography;
using RagAgent.InstanceTests.Support;
using RagAgent.IntegrationTests.Cloud;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What cloud-init does at the first boot of an instance of the stack, script by script as the template has them. cloud-init itself is not here.</summary>
public sealed class UserDataTests
{
    private const string Disk = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0123456789abcdef0";

    private const string Label = "/dev/disk/by-label/ragstream";

    private const string Released = "https://example.com/ragagent-0.1.0-linux-x64.tar.gz";

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plain_machine_gets_its_data_disk_the_released_package_and_serves_and_never_without_its_data()
    {
        await using var machine = await Machine.BakeAsync();
        await using var disk = await LoopDisk.MadeAsync(Path.Combine(machine.RootFolder, "..", "data"));
        await machine.PowerOnAsync();
        await machine.RunCheckedAsync("sh", "-c", "/usr/share/ragagent/uninstall.sh && rm -rf /etc/ragagent.json /var/lib/ragstream");
        await machine.RunCheckedAsync("sh", "-c", $"mkdir -p /dev/disk/by-id /dev/disk/by-label && mknod {Disk} b 7 {disk.Number} && mknod {Label} b 7 {disk.Number}");   // as udev does
        File.Copy(Machine.Package, machine.RootFolder + "/root/released.tar.gz");
        var data = UserDataScripts.OfStack(CloudFormationTemplate.Stack(("PackageUrl", Released),
            ("PackageSha256", Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Machine.Package, TestCancellation))))));

        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("ext4", await machine.RunCheckedAsync("findmnt", "--noheadings", "--output", "FSTYPE", "/var/lib/ragstream"));

        machine.WriteConfig(data.File("/etc/ragagent.json"));
        await machine.RunCheckedAsync("bash", "-c", RunScript(data));
        await machine.PushAsync("1");
        await machine.WaitUntilServingAsync("1");
        Assert.Equal("1000:1000 750", await machine.RunCheckedAsync("stat", "--format", "%u:%g %a", "/var/lib/ragstream/chroma_db"));

        // A boot at which the disk comes late: it is there already, and what is on it stays.
        await machine.RunCheckedAsync("sh", "-c", "echo precious >/var/lib/ragstream/memory/kept && systemctl stop ragagent.socket ragagent.service && docker rm --force ragstream && umount /var/lib/ragstream");
        await machine.RunCheckedAsync("systemctl", "start", "ragagent");
        await machine.WaitUntilAsync(async () => (await machine.RunCheckedAsync("sh", "-c", "ragagent status || true")).Contains("is on a disk that is not mounted", StringComparison.Ordinal), "the lack is told");
        Assert.Equal(503, (await machine.GetAsync()).Status);
        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("precious", await machine.RunCheckedAsync("cat", "/var/lib/ragstream/memory/kept"));
        Assert.Equal("1", await machine.RunCheckedAsync("grep", "--count", "/var/lib/ragstream", "/etc/fstab"));
        await machine.WaitUntilServingAsync("1");

        // One that was made of a snapshot has another id and the same label.
        await machine.RunCheckedAsync("sh", "-c", $"systemctl stop ragagent.socket ragagent.service && docker rm --force ragstream && umount /var/lib/ragstream && rm {Disk}");
        await machine.RunCheckedAsync("mount", "/var/lib/ragstream");   // by its line in fstab, as systemd does at a boot of a real machine
        await machine.RunCheckedAsync("bash", "-c", data.BootScript);
        Assert.Equal("precious", await machine.RunCheckedAsync("cat", "/var/lib/ragstream/memory/kept"));
    }

    [Fact]
    public async Task A_package_that_is_not_the_released_one_is_not_installed()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();
        await machine.RunCheckedAsync("/usr/share/ragagent/uninstall.sh");
        File.Copy(Machine.Package, machine.RootFolder + "/root/released.tar.gz");

        var said = await machine.RunAsync("bash", "-c", RunScript(UserDataScripts.OfStack(CloudFormationTemplate.Stack(("PackageUrl", Released), ("PackageSha256", new string('0', 64))))));

        Assert.NotEqual(0, said.ExitCode);
        Assert.Contains("did NOT match", said.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(machine.RootFolder + "/usr/bin/ragagent"));
    }

    /// <summary>As it is, but from a file: there is no release, and nobody to ask for it.</summary>
    private static string RunScript(UserDataScripts data) => data.RunScript.Replace(Released, "file:///root/released.tar.gz", StringComparison.Ordinal);

    /// <summary>A small disk without a file system.</summary>
    private sealed class LoopDisk(string device) : IAsyncDisposable
    {
        /// <summary>The second part of its device number.</summary>
        public string Number => device["/dev/loop".Length..];

        public static async Task<LoopDisk> MadeAsync(string file)
        {
            await using (var made = File.Create(file))
            {
                made.SetLength(64 << 20);
            }
            return new LoopDisk((await ProcessRunner.RunAsync("losetup", ["--find", "--show", file], stopping: TestCancellation)).AssertSucceeded());
        }

        public async ValueTask DisposeAsync() => await ProcessRunner.RunAsync("losetup", ["--detach", device]);
    }
}
