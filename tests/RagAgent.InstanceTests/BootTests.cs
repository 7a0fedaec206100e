using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>Start the instance; the app is there.</summary>
public sealed class BootTests
{
    private static CancellationToken Stopping => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_boot_of_the_image_serves_what_is_pushed_with_no_manual_step()
    {
        await using var machine = await Machine.BakedAsync();
        await machine.OnAsync();
        await machine.EventuallyAsync(async () => await machine.VisitAsync() is (503, var why) && why.Contains("does not exist", StringComparison.Ordinal), "a visitor is told what is missing");
        Assert.Equal("active", await machine.DoAsync("systemctl", "is-active", "ragagent"));

        await machine.PushAsync("1");

        await machine.ServesAsync("1");
        Assert.StartsWith("The app serves", await machine.DoAsync("ragagent", "status"), StringComparison.Ordinal);
        Assert.Equal("running", await machine.DoAsync("systemctl", "is-system-running"));
    }

    [Fact]
    public async Task After_a_power_cut_it_serves_again_and_nothing_is_pulled()
    {
        await using var machine = await Machine.ServingAsync();
        var started = await machine.StartedAtAsync();
        var pulled = await machine.AskedAsync("registry:blob");

        await machine.CutAsync();
        await machine.OnAsync();

        Assert.NotEqual(started, await machine.ServesAsync("1"));
        Assert.Equal(pulled, await machine.AskedAsync("registry:blob"));
    }

    [Fact]
    public async Task What_was_pushed_while_it_was_off_serves_after_the_next_start()
    {
        await using var machine = await Machine.ServingAsync();
        await machine.OffAsync();
        await machine.PushAsync("2");

        await machine.OnAsync();

        await machine.ServesAsync("2");
        Assert.DoesNotContain("crash", await machine.JournalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Beside_cloud_init_with_a_network_that_is_never_online_and_names_that_can_not_be_resolved_it_comes_up_as_soon_as_they_can()
    {
        await using var machine = await Machine.BakedAsync();
        // As cloud-init orders its last stage; and a wait for the network that fails.
        machine.AddUnit("cloud-init.target", "[Unit]\nAfter=multi-user.target\n[Install]\nWantedBy=multi-user.target\n");
        machine.AddUnit("cloud-final.service", "[Unit]\nAfter=multi-user.target\nBefore=cloud-init.target\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n[Install]\nWantedBy=cloud-init.target\n");
        machine.AddUnit("wait-online.service", "[Unit]\nDefaultDependencies=no\nBefore=network-online.target\n[Service]\nType=oneshot\nExecStart=/bin/false\n[Install]\nWantedBy=network-online.target\n");
        var names = machine.TakeNames();
        await machine.OnAsync();
        await machine.EventuallyAsync(async () => await machine.VisitAsync() is (503, var why) && why.Contains("can't be resolved", StringComparison.Ordinal), "a visitor is told what is missing");
        Assert.Equal("active", await machine.DoAsync("systemctl", "is-active", "cloud-final.service"));
        Assert.DoesNotContain("ordering cycle", await machine.DoAsync("journalctl", "--boot", "--no-pager"), StringComparison.Ordinal);
        await machine.PushAsync("1");

        machine.GiveNames(names);

        await machine.ServesAsync("1");
    }

    [Fact]
    public async Task Without_a_way_to_AWS_it_serves_what_is_on_disk_and_says_so()
    {
        await using var machine = await Machine.ServingAsync();
        await machine.OffAsync();
        var names = machine.TakeNames();
        // The key is AWS's to give: a file stands for one that needs no network.
        machine.WriteConfig("""{ "image": "ragstream-web", "secrets": { "OPENAI_API_KEY": { "file": "/etc/key" } }, "aws": { "region": "eu-central-1" } }""");
        machine.Write("etc/key", "sk-from-a-file-0123456789");

        await machine.OnAsync();

        await machine.ServesAsync("1");
        Assert.Contains("which may not be the newest", await machine.DoAsync("sh", "-c", "ragagent status"), StringComparison.Ordinal);
        machine.GiveNames(names);
        await machine.EventuallyAsync(async () => !(await machine.DoAsync("sh", "-c", "ragagent status || true")).Contains("may not be the newest", StringComparison.Ordinal), "AWS is found again by itself");
        await machine.ServesAsync("1");
    }

    [Fact]
    public async Task A_shutdown_gives_the_app_its_time_and_leaves_nothing_that_the_next_boot_takes_for_a_crash()
    {
        await using var machine = await Machine.ServingAsync();

        await machine.OffAsync();
        await machine.OnAsync();
        await machine.ServesAsync("1");

        var journal = await machine.JournalAsync();
        Assert.DoesNotContain("exited", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("in a row", journal, StringComparison.Ordinal);
    }
}
