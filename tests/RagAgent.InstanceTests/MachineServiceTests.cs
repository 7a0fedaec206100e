using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What systemd does to the service: the app does not notice.</summary>
public sealed class MachineServiceTests
{
    [Fact]
    public async Task A_restart_and_a_kill_of_the_agent_leave_the_app_as_it_is()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();

        await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));

        var pid = await machine.PropertyAsync("MainPID");
        await machine.RunCheckedAsync("kill", "-KILL", pid);
        await machine.WaitUntilAsync(async () => await machine.PropertyAsync("MainPID") is var next && next != pid && next != "0", "systemd starts it again");
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
    }

    [Fact]
    public async Task A_stop_of_the_agent_leaves_the_app_and_a_start_adopts_it()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();

        await machine.RunCheckedAsync("systemctl", "stop", "ragagent");
        Assert.Equal("true", await machine.RunCheckedAsync("docker", "inspect", "--format", "{{.State.Running}}", "ragstream"));
        Assert.Equal(3, (await machine.RunAsync("ragagent", "status")).ExitCode);
        await machine.RunCheckedAsync("systemctl", "start", "ragagent");

        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
    }

    [Fact]
    public async Task A_reload_takes_a_good_file_and_keeps_the_old_one_in_the_place_of_a_bad_one()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        var good = await machine.RunCheckedAsync("cat", "/etc/ragagent.json");

        await machine.RunCheckedAsync("sed", "-i", "s/\"image\"/\"imag\"/", "/etc/ragagent.json");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "reload", "ragagent")).ExitCode);
        await machine.WaitUntilAsync(async () => (await machine.JournalAsync()).Contains("the configuration in use is kept", StringComparison.Ordinal), "the bad file is told");
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "ragagent"));
        Assert.Contains("The configuration was read again and can't be used: /etc/ragagent.json:", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);

        await machine.RunCheckedAsync("sh", "-c", "printf '%s' \"$1\" | sed 's/^{/{ \"update\": { \"every\": \"1m\" },/' >/etc/ragagent.json && systemctl reload ragagent", "sh", good);
        await machine.WaitUntilAsync(async () => (await machine.JournalAsync()).Contains("and has changed", StringComparison.Ordinal), "the good file is told");
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
        Assert.DoesNotContain("can't be used", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_that_can_not_be_used_is_not_tried_again_and_a_mended_one_is_started_by_hand()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.RunCheckedAsync("sh", "-c", "cp /etc/ragagent.json /root/good && echo '{' >/etc/ragagent.json");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "restart", "ragagent")).ExitCode);
        Assert.Equal(("failed", "78"), (await machine.PropertyAsync("ActiveState"), await machine.PropertyAsync("ExecMainStatus")));
        Assert.Contains("/etc/ragagent.json:", await machine.JournalAsync(), StringComparison.Ordinal);
        var tried = await machine.PropertyAsync("ExecMainStartTimestampMonotonic");
        Assert.Equal(0, (await machine.GetAsync()).Status);
        Assert.Equal(("failed", tried), (await machine.PropertyAsync("ActiveState"), await machine.PropertyAsync("ExecMainStartTimestampMonotonic")));

        await machine.RunCheckedAsync("sh", "-c", "cp /root/good /etc/ragagent.json && systemctl start ragagent");
        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task A_stop_by_the_operator_holds_across_restarts_of_the_agent_until_a_start()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.RunCheckedAsync("ragagent", "stop");
        await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
        await machine.WaitUntilAsync(async () => await machine.GetAsync() is (503, var why) && why.Contains("turned off", StringComparison.Ordinal), "visitors are told");
        Assert.Equal("", await machine.RunCheckedAsync("docker", "ps", "--quiet"));

        await machine.RunCheckedAsync("ragagent", "start");
        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task As_a_package_of_the_systems_it_boots_is_upgraded_beside_the_app_and_goes_without_it()
    {
        await using var machine = await Machine.BakeAsync(package: Machine.SystemPackage);
        await machine.PowerOnAsync();
        await machine.PushAsync("1");
        var started = await machine.WaitUntilServingAsync("1");
        var pid = await machine.PropertyAsync("MainPID");

        await machine.RunCheckedAsync("dpkg", "--install", "/root/package.deb");
        Assert.NotEqual(pid, await machine.PropertyAsync("MainPID"));
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));

        await machine.RunCheckedAsync("dpkg", "--purge", "ragagent");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "cat", "ragagent")).ExitCode);
        Assert.Equal("true", await machine.RunCheckedAsync("docker", "inspect", "--format", "{{.State.Running}}", "ragstream"));
    }

    [Fact]
    public async Task An_upgrade_leaves_the_app_as_it_is_and_an_uninstall_takes_the_agent_alone()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        var pid = await machine.PropertyAsync("MainPID");

        // A newer archive: another binary, to the byte.
        await machine.RunCheckedAsync("sh", "-c", "printf x >>/root/package/ragagent && /root/package/install.sh");
        Assert.NotEqual(pid, await machine.PropertyAsync("MainPID"));
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));

        await machine.RunCheckedAsync("/usr/share/ragagent/uninstall.sh");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "cat", "ragagent")).ExitCode);
        Assert.Equal(0, (await machine.RunAsync("test", "-e", "/etc/ragagent.json")).ExitCode);
    }
}
