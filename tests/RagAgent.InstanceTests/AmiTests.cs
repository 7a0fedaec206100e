using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>An AMI contains the agent, ready to start, and nothing of the machine it was baked on.</summary>
public sealed class AmiTests
{
    private const string Clean = "/root/package/clean.sh";

    /// <summary>Keys, identities, state and logs that must not remain.</summary>
    private static readonly string[] Planted =
    [
        "/etc/ssh/ssh_host_ed25519_key",
        "/root/.ssh/authorized_keys",
        "/home/ubuntu/.ssh/authorized_keys",
        "/root/.bash_history",
        "/home/ubuntu/.bash_history",
        "/root/.aws/credentials",
        "/root/.docker/config.json",
        "/var/lib/cloud/instances/i-1/user-data.txt",
        "/var/lib/systemd/random-seed",
        "/var/lib/systemd/credential.secret",
        "/var/lib/ragstream/memory/private.txt",
    ];

    [Fact]
    public async Task An_image_baked_from_a_used_machine_keeps_no_traces_and_serves()
    {
        await using var machine = await Machine.StartServingAsync();
        foreach (var file in Planted)
        {
            await machine.RunCheckedAsync("sh", "-c", $"mkdir -p $(dirname {file}) && echo planted >{file}");
        }
        await machine.RunCheckedAsync("sh", "-c", "echo 'key of this machine' >/var/log/auth.log && echo older >/var/log/auth.log.1");
        var id = await machine.RunCheckedAsync("cat", "/etc/machine-id");
        var pulled = await machine.CountAwsRequestsAsync("registry:blob");
        var found = (await machine.RunAsync(Clean, "--check")).Output;
        Assert.All(Planted, file => Assert.Contains(
            $"left: {(file.StartsWith("/var/lib/cloud/", StringComparison.Ordinal) ? "/var/lib/cloud/instances" : file)}",
            found,
            StringComparison.Ordinal));
        Assert.Contains("/etc/machine-id, with an id in it", found, StringComparison.Ordinal);
        Assert.Contains("left: /var/lib/docker/", found, StringComparison.Ordinal);
        Assert.Contains("left: /var/lib/ragagent/", found, StringComparison.Ordinal);

        await machine.RunCheckedAsync(Clean, "--bake");

        Assert.Equal("", (await machine.RunAsync(Clean, "--check")).Output);
        Assert.Equal("", await machine.FindKeyAsync("--recursive /etc /root /home /var"));
        await machine.PowerOffAsync();
        Assert.All(Planted, file => Assert.False(File.Exists(machine.RootFolder + file), file));
        Assert.All(
            (string[])["/var/lib/docker", "/var/lib/containerd", "/var/lib/ragagent", "/var/lib/cloud", "/var/log/journal"],
            folder => Assert.Empty(Directory.GetFileSystemEntries(machine.RootFolder + folder)));
        Assert.Equal(
            ["chroma_db", "doc_raw", "logs", "memory", "splade_db"],
            Directory.GetDirectories(machine.RootFolder + "/var/lib/ragstream").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.False(File.Exists(machine.RootFolder + "/var/log/auth.log.1"));
        Assert.Equal("", await File.ReadAllTextAsync(machine.RootFolder + "/var/log/auth.log", TestContext.Current.CancellationToken));
        Assert.Equal("", await File.ReadAllTextAsync(machine.RootFolder + "/etc/machine-id", TestContext.Current.CancellationToken));

        await machine.PowerOnAsync();
        await machine.WaitUntilServingAsync("1");
        Assert.NotEqual(id, await machine.RunCheckedAsync("cat", "/etc/machine-id"));
        Assert.InRange(await machine.CountAwsRequestsAsync("registry:blob"), pulled + 1, int.MaxValue);   // a new machine has to pull
        Assert.Equal("running", await machine.RunCheckedAsync("systemctl", "is-system-running"));
    }

    [Fact]
    public async Task The_clean_script_changes_nothing_without_bake_and_provisioning_is_idempotent()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();

        Assert.Equal(64, (await machine.RunAsync(Clean)).ExitCode);
        Assert.Equal(64, (await machine.RunAsync(Clean, "--everything")).ExitCode);
        Assert.StartsWith("Nothing to change:", await machine.RunCheckedAsync("/root/package/provision.sh"), StringComparison.Ordinal);
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "docker.service"));
    }
}
