using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>After all that may happen to the app, its key is in its own process and nowhere else on the machine.</summary>
public sealed class SecretAuditTests
{
    [Fact]
    public async Task The_key_is_in_no_file_no_log_no_argument_and_no_bundle()
    {
        await using var machine = await Machine.ServingAsync();
        await machine.DoAsync("docker", "kill", "ragstream");
        await machine.EventuallyAsync(async () => (await machine.JournalAsync()).Contains("by signal 9", StringComparison.Ordinal), "a crash is told");
        await machine.ServesAsync("1");
        await machine.PushAsync("2");
        await machine.DoAsync("ragagent", "update");
        await machine.ServesAsync("2");
        await machine.RunAsync("ragagent", "rollback");
        await machine.DoAsync("ragagent", "support", "--output", "/root/bundle.tar.gz");
        await machine.DoAsync("sh", "-c", "mkdir /root/bundle && tar xzf /root/bundle.tar.gz -C /root/bundle --strip-components=1 && cat /root/bundle/*");
        var doctor = await machine.DoAsync("cat", "/root/bundle/doctor.json");
        Assert.Contains("OPENAI_API_KEY (version", doctor, StringComparison.Ordinal);

        // The app itself has it: the search would find it.
        Assert.NotEqual("", await machine.FindAsync("/proc/[0-9]*/environ"));
        Assert.Equal("", await machine.FindAsync("/proc/[0-9]*/cmdline"));
        Assert.Equal("", await machine.FindAsync("--recursive --exclude-dir=proc --exclude-dir=sys /"));
        Assert.DoesNotContain(machine.Key, await machine.DoAsync("journalctl", "--output", "verbose", "--all", "--no-pager"), StringComparison.Ordinal);
        Assert.DoesNotContain(machine.Key, await machine.DoAsync("sh", "-c", "docker inspect $(docker ps --all --quiet)"), StringComparison.Ordinal);
        Assert.Equal("", await machine.DoAsync("sh", "-c", "find / -xdev -name 'core*' -type f -size +1k -path '*core.*' 2>/dev/null || true"));
    }
}
