using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What the units promise: a port that is always open, a watchdog and a tight sandbox.</summary>
public sealed class SystemdUnitTests
{
    [Fact]
    public async Task Restarts_reloads_and_upgrades_lose_no_request_and_a_kill_loses_only_in_flight_ones()
    {
        await using var machine = await Machine.StartServingAsync();

        Assert.Equal("", await machine.RequestDuringAsync(async () =>
        {
            await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
            await machine.RunCheckedAsync("sh", "-c", "sed -i 's/^{/{ \"update\": { \"every\": \"1m\" },/' /etc/ragagent.json && systemctl reload ragagent");
            await machine.WaitForJournalAsync("and has changed");
            await machine.RunCheckedAsync("sh", "-c", "printf x >>/root/package/ragagent && /root/package/install.sh");
        }));
        await machine.WaitUntilServingAsync("1");

        // Requests are sent one at a time, so at most one was in flight.
        Assert.Contains(await machine.RequestDuringAsync(async () =>
        {
            var pid = await machine.PropertyAsync("MainPID");
            await machine.RunCheckedAsync("kill", "-KILL", pid);
            await machine.WaitForRestartAsync(pid);
        }, atLeast: 3), (string[])["", "curl ended with 52", "curl ended with 56"]);
        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task The_next_request_starts_a_stopped_agent_unless_its_socket_is_stopped_too()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.RunCheckedAsync("systemctl", "stop", "ragagent");
        await machine.WaitUntilServingAsync("1");

        await machine.RunCheckedAsync("systemctl", "stop", "ragagent.socket", "ragagent.service");
        Assert.Equal(0, (await machine.GetAsync()).Status);
        Assert.Equal("inactive", await machine.PropertyAsync("ActiveState"));

        await machine.RunCheckedAsync("systemctl", "start", "ragagent");
        await machine.WaitUntilServingAsync("1");
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "ragagent.socket"));
    }

    [Fact]
    public async Task The_watchdog_restarts_a_frozen_agent_and_leaves_the_app_alone()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        Assert.Equal("1min", await machine.PropertyAsync("WatchdogUSec"));
        await machine.RunCheckedAsync(
            "sh",
            "-c",
            "mkdir /run/systemd/system/ragagent.service.d && " +
            "printf '[Service]\nWatchdogSec=4\n' >/run/systemd/system/ragagent.service.d/watchdog.conf && " +
            "systemctl daemon-reload && systemctl restart ragagent");
        await machine.WaitUntilServingAsync("1");
        var pid = await machine.PropertyAsync("MainPID");
        // Longer than WatchdogSec, to see that the agent feeds it.
        await Task.Delay(TimeSpan.FromSeconds(10), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(pid, await machine.PropertyAsync("MainPID"));

        await machine.RunCheckedAsync("kill", "-STOP", pid);
        await machine.WaitForRestartAsync(pid);

        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
        Assert.Contains(
            "Watchdog timeout", await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--no-pager"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_service_unit_passes_systemds_security_analysis()
    {
        await using var machine = await Machine.BakeAsync();
        await machine.PowerOnAsync();

        var analysis = await machine.RunAsync("systemd-analyze", "security", "ragagent.service", "--threshold=15", "--no-pager");
        Assert.True(analysis.ExitCode == 0, analysis.Output);
    }
}
