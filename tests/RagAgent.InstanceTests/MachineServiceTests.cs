using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>What systemd does to the service never affects the app.</summary>
public sealed class MachineServiceTests
{
    [Fact]
    public async Task Restarting_or_killing_the_agent_service_leaves_the_app_running()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();

        await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));

        var pid = await machine.PropertyAsync("MainPID");
        await machine.RunCheckedAsync("kill", "-KILL", pid);
        await machine.WaitForRestartAsync(pid);
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
    }

    [Fact]
    public async Task Stopping_the_agent_service_leaves_the_app_and_starting_it_adopts_the_app()
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
    public async Task Reloading_the_service_applies_a_valid_configuration_and_rejects_an_invalid_one()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        var good = await machine.RunCheckedAsync("cat", "/etc/ragagent.json");

        await machine.RunCheckedAsync("sed", "-i", "s/\"image\"/\"imag\"/", "/etc/ragagent.json");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "reload", "ragagent")).ExitCode);
        await machine.WaitForJournalAsync("The previous one stays in use.");
        Assert.Equal("active", await machine.RunCheckedAsync("systemctl", "is-active", "ragagent"));
        Assert.Contains("The configuration was read again and can't be used: /etc/ragagent.json:", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);

        await machine.RunCheckedAsync(
            "sh",
            "-c",
            "printf '%s' \"$1\" | sed 's/^{/{ \"update\": { \"every\": \"1m\" },/' >/etc/ragagent.json && systemctl reload ragagent",
            "sh",
            good);
        await machine.WaitForJournalAsync("and has changed");
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));
        Assert.DoesNotContain("can't be used", await machine.RunCheckedAsync("ragagent", "status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Systemd_does_not_restart_a_service_with_an_invalid_configuration()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.RunCheckedAsync("sh", "-c", "cp /etc/ragagent.json /root/good && echo '{' >/etc/ragagent.json");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "restart", "ragagent")).ExitCode);
        Assert.Equal(("failed", "78"), (await machine.PropertyAsync("ActiveState"), await machine.PropertyAsync("ExecMainStatus")));
        Assert.Contains("/etc/ragagent.json:", await machine.JournalAsync(), StringComparison.Ordinal);
        var tried = await machine.PropertyAsync("ExecMainStartTimestampMonotonic");
        Assert.Equal(0, (await machine.GetAsync()).Status);
        Assert.Equal(
            ("failed", tried),
            (await machine.PropertyAsync("ActiveState"), await machine.PropertyAsync("ExecMainStartTimestampMonotonic")));

        await machine.RunCheckedAsync("sh", "-c", "cp /root/good /etc/ragagent.json && systemctl start ragagent");
        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task An_operators_stop_survives_service_restarts_until_start()
    {
        await using var machine = await Machine.StartServingAsync();

        await machine.RunCheckedAsync("ragagent", "stop");
        await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
        await machine.WaitForUnavailableAsync("turned off");
        Assert.Equal("", await machine.RunCheckedAsync("docker", "ps", "--quiet"));

        await machine.RunCheckedAsync("ragagent", "start");
        await machine.WaitUntilServingAsync("1");
    }

    [Fact]
    public async Task The_deb_package_boots_upgrades_and_uninstalls_without_touching_the_app()
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
    public async Task Upgrading_and_uninstalling_the_archive_leave_the_app_running()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        var pid = await machine.PropertyAsync("MainPID");

        // A newer archive has a different binary.
        await machine.RunCheckedAsync("sh", "-c", "printf x >>/root/package/ragagent && /root/package/install.sh");
        Assert.NotEqual(pid, await machine.PropertyAsync("MainPID"));
        Assert.Equal(started, await machine.WaitUntilServingAsync("1"));

        await machine.RunCheckedAsync("/usr/share/ragagent/uninstall.sh");
        Assert.NotEqual(0, (await machine.RunAsync("systemctl", "cat", "ragagent")).ExitCode);
        Assert.Equal(0, (await machine.RunAsync("test", "-e", "/etc/ragagent.json")).ExitCode);
    }
}
