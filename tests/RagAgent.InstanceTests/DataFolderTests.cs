using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>The app's data folders, as docs/data.md describes them.</summary>
public sealed class DataFolderTests
{
    [Fact]
    public async Task Data_folders_are_created_and_an_app_with_an_unmounted_disk_waits_for_it()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.RunCheckedAsync("rm", "-rf", "/var/lib/ragstream");
        var before = await machine.RunCheckedAsync("cat", "/etc/ragagent.json");
        machine.WriteConfig($$"""
            {
              "container": { "volumes": [ { "host": "/var/lib/ragstream/memory", "container": "/app/data/memory" } ] },
            {{before[(before.IndexOf('{', StringComparison.Ordinal) + 1)..]}}
            """);

        // A reload is enough to create a new folder.
        await machine.RunCheckedAsync("systemctl", "reload", "ragagent");
        await machine.WaitUntilAsync(
            async () =>
                (await machine.RunAsync("docker", "exec", "ragstream", "sh", "-c", "echo kept >/app/data/memory/file")).ExitCode == 0,
            "the app writes to its folder");
        Assert.Equal("10001 10001 750", await machine.RunCheckedAsync("stat", "--format=%u %g %a", "/var/lib/ragstream/memory"));
        Assert.Matches(@"(?m)^ok +volumes +The folder exists; ", await machine.RunCheckedAsync("sh", "-c", "ragagent doctor || true"));

        // From now on the folder belongs to a separate disk, which is missing at the next boot.
        await machine.PowerOffAsync();
        machine.Write("etc/fstab", "LABEL=ragstream /var/lib/ragstream ext4 defaults,nofail,x-systemd.device-timeout=1s 0 2\n");
        await machine.PowerOnAsync();
        await machine.WaitForStatusAsync("is on a disk that is not mounted");
        Assert.Equal(503, (await machine.GetAsync()).Status);
        Assert.Equal("", await machine.RunCheckedAsync("docker", "ps", "--quiet"));
        Assert.Contains("not mounted", await machine.RunCheckedAsync("sh", "-c", "ragagent doctor || true"), StringComparison.Ordinal);

        // The disk appears, and is empty.
        await machine.RunCheckedAsync("mount", "-t", "tmpfs", "tmpfs", "/var/lib/ragstream");
        await machine.WaitForStatusAsync("The folder /var/lib/ragstream/memory of container.volumes does not exist");
        Assert.Contains("/var/lib/ragstream/memory: created for the app (10001:10001)", await machine.RunCheckedAsync("ragagent", "volumes"), StringComparison.Ordinal);
        await machine.WaitUntilServingAsync("1");
        await machine.RunCheckedAsync("docker", "exec", "ragstream", "sh", "-c", "echo new >/app/data/memory/file");
        await machine.RunCheckedAsync("umount", "--lazy", "/var/lib/ragstream");
        Assert.Equal("kept", await machine.RunCheckedAsync("cat", "/var/lib/ragstream/memory/file"));
    }
}
