using System.Text.RegularExpressions;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>Start the instance; the app is there.</summary>
public sealed class MachineBootTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_boot_of_the_image_serves_what_is_pushed_with_no_manual_step()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();
        await machine.WaitUntilAsync(async () => await machine.GetAsync() is (503, var why) && why.Contains("The newest version can't be reached right now.", StringComparison.Ordinal), "a visitor is told what is missing");
        Assert.Contains("does not exist", await machine.RunCheckedAsync("sh", "-c", "ragagent status || true"), StringComparison.Ordinal);
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "ragagent"));

        await machine.LocalAwsAsync("fault", "set", "registry:blob", "throttle", "--bytes", "6000000");
        await machine.PushAsync("1");

        await machine.WaitUntilAsync(async () => Regex.IsMatch(await machine.PropertyAsync("StatusText"), @"^Pulling .+: [1-9]\d* % \("), "systemd tells how far the pull is");
        await machine.WaitUntilServingAsync("1");
        Assert.StartsWith("The app serves", await machine.PropertyAsync("StatusText"), StringComparison.Ordinal);
        Assert.StartsWith("The app serves", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);
        Assert.Equal("running", await machine.RunCheckedAsync("systemctl", "is-system-running"));
    }

    [Fact]
    public async Task After_a_power_cut_it_serves_again_and_nothing_is_pulled()
    {
        await using var machine = await Machine.StartServingAsync(disk: true);
        var started = await machine.StartedAtAsync();
        await machine.RunCheckedAsync("sync");   // of the image: what the engine has not written yet is lost with the power
        var pulled = await machine.CountAwsRequestsAsync("registry:blob");

        await machine.CutPowerAsync();
        await machine.PowerOnAsync();

        Assert.NotEqual(started, await machine.WaitUntilServingAsync("1"));
        Assert.Equal(pulled, await machine.CountAwsRequestsAsync("registry:blob"));
    }

    [Fact]
    public async Task Wherever_the_power_is_cut_in_an_update_the_newest_image_serves_after_the_next_start()
    {
        await using var machine = await Machine.StartServingAsync(disk: true);

        string[] moments = ["Pulling ", "Pulled image ", "Starting ", "waiting for it to become healthy", " has replaced "];
        foreach (var (moment, version) in moments.Select((moment, i) => (moment, $"{i + 2}")))
        {
            await machine.PushAsync(version);
            var since = await machine.RunCheckedAsync("date", "+%s");
            var update = machine.RunAsync("ragagent", "update");
            await machine.WaitUntilAsync(async () =>
            {
                if (update.IsCompleted)
                {
                    (await update).AssertSucceeded();
                }
                return (await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--since", $"@{since}", "--no-pager")).Contains(moment, StringComparison.Ordinal);
            }, moment);
            await machine.CutPowerAsync();
            await update;
            await machine.PowerOnAsync();
            await machine.WaitUntilServingAsync(version);
        }
    }

    [Fact]
    public async Task What_was_pushed_while_it_was_off_serves_after_the_next_start()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.PowerOffAsync();
        await machine.PushAsync("2");

        await machine.PowerOnAsync();

        await machine.WaitUntilServingAsync("2");
        Assert.DoesNotContain("crash", await machine.JournalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shutdown_gives_the_app_its_time_and_leaves_nothing_that_the_next_boot_takes_for_a_crash()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.PowerOffAsync();
        await machine.PowerOnAsync();
        await machine.WaitUntilServingAsync("1");

        var journal = await machine.JournalAsync();
        Assert.DoesNotContain("exited", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("in a row", journal, StringComparison.Ordinal);
    }
}
