using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>A boot without a working network.</summary>
public sealed class NetworkOutageTests
{
    [Fact]
    public async Task A_boot_next_to_cloud_init_without_DNS_serves_as_soon_as_names_resolve()
    {
        await using var machine = await Machine.BakeAsync();
        // Ordered like cloud-init's last stage, plus a wait for the network that fails.
        machine.AddUnit("cloud-init.target", "[Unit]\nAfter=multi-user.target\n[Install]\nWantedBy=multi-user.target\n");
        machine.AddUnit(
            "cloud-final.service",
            "[Unit]\nAfter=multi-user.target\nBefore=cloud-init.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n" +
            "[Install]\nWantedBy=cloud-init.target\n");
        machine.AddUnit(
            "wait-online.service",
            "[Unit]\nDefaultDependencies=no\nBefore=network-online.target\n[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=network-online.target\n");
        var names = machine.BreakDns();
        await machine.PowerOnAsync();
        await machine.WaitForUnavailableAsync("\"status\":\"failing\"");
        Assert.Contains("can't be resolved", await machine.StatusAsync(), StringComparison.Ordinal);
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "cloud-final.service"));
        Assert.DoesNotContain(
            "ordering cycle", await machine.RunCheckedAsync("journalctl", "--boot", "--no-pager"), StringComparison.Ordinal);
        await machine.PushAsync("1");

        machine.RestoreDns(names);

        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task A_boot_without_AWS_serves_the_image_on_disk_and_reports_it()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.PowerOffAsync();
        var names = machine.BreakDns();
        // A secret from a file needs no network.
        machine.WriteConfig("""{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": { "file": "/etc/key" } }, "aws": { "region": "eu-central-1" } }""");
        machine.Write("etc/key", "sk-from-a-file-0123456789");

        await machine.PowerOnAsync();

        await machine.WaitUntilServingAsync("1");
        Assert.Contains(
            "which may not be the newest", await machine.RunCheckedAsync("sh", "-c", "ragagent status"), StringComparison.Ordinal);
        machine.RestoreDns(names);
        await machine.WaitUntilAsync(
            async () => !(await machine.StatusAsync()).Contains("may not be the newest", StringComparison.Ordinal),
            "AWS is reachable again");
        await machine.WaitUntilServingAsync("1");
    }
}
