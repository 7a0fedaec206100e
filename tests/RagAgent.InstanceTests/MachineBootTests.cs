using System.Text.RegularExpressions;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>The app serves after every kind of boot.</summary>
public sealed class MachineBootTests
{
    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_boot_serves_a_pushed_image_without_a_manual_step()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();
        await machine.WaitForUnavailableAsync("The newest version can't be reached right now.");
        Assert.Contains("does not exist", await machine.StatusAsync(), StringComparison.Ordinal);
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "ragagent"));

        await machine.LocalAwsAsync("fault", "set", "registry:blob", "throttle", "--bytes", "6000000");
        await machine.PushAsync("1");

        await machine.WaitUntilAsync(
            async () => Regex.IsMatch(await machine.PropertyAsync("StatusText"), @"^Pulling .+: [1-9]\d* % \("),
            "systemd shows the progress of the pull");
        await machine.WaitUntilServingAsync("1");
        Assert.StartsWith("The app serves", await machine.PropertyAsync("StatusText"), StringComparison.Ordinal);
        Assert.StartsWith("The app serves", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);
        Assert.Equal("running", await machine.RunCheckedAsync("systemctl", "is-system-running"));
    }

    [Fact]
    public async Task The_app_serves_after_a_power_cut_without_pulling()
    {
        await using var machine = await Machine.StartServingAsync(disk: true);
        var started = await machine.StartedAtAsync();
        await machine.RunCheckedAsync("sync");   // otherwise the power cut loses image data that the engine has not written yet
        var pulled = await machine.CountAwsRequestsAsync("registry:blob");

        await machine.CutPowerAsync();
        await machine.PowerOnAsync();

        Assert.NotEqual(started, await machine.WaitUntilServingAsync("1"));
        Assert.Equal(pulled, await machine.CountAwsRequestsAsync("registry:blob"));
    }

    [Fact]
    public async Task A_power_cut_at_any_stage_of_an_update_still_leads_to_the_newest_image()
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
                return (await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--since", $"@{since}", "--no-pager")).Contains(
                    moment, StringComparison.Ordinal);
            }, moment);
            await machine.CutPowerAsync();
            await update;
            await machine.PowerOnAsync();
            await machine.WaitUntilServingAsync(version);
        }
    }

    [Fact]
    public async Task An_image_pushed_while_the_machine_is_off_serves_after_the_next_boot()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.PowerOffAsync();
        await machine.PushAsync("2");

        await machine.PowerOnAsync();

        await machine.WaitUntilServingAsync("2");
        Assert.DoesNotContain("crash", await machine.JournalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_machine_shutdown_stops_the_app_in_time_and_is_not_counted_as_a_crash()
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
