using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>After crashes, updates and rollbacks, the secret is only in the app's own process.</summary>
public sealed class SecretAuditTests
{
    [Fact]
    public async Task The_secret_is_in_no_file_log_argument_or_support_bundle()
    {
        await using var machine = await Machine.StartServingAsync();
        await machine.RunCheckedAsync("docker", "kill", "ragstream");
        await machine.WaitForJournalAsync("by signal 9");
        await machine.WaitUntilServingAsync("1");
        await machine.PushAsync("2");
        await machine.RunCheckedAsync("ragagent", "update");
        await machine.WaitUntilServingAsync("2");
        await machine.RunAsync("ragagent", "rollback");
        await machine.RunCheckedAsync("ragagent", "support", "--output", "/root/bundle.tar.gz");
        await machine.RunCheckedAsync("sh", "-c", "mkdir /root/bundle && tar xzf /root/bundle.tar.gz -C /root/bundle --strip-components=1 && cat /root/bundle/*");
        var doctor = await machine.RunCheckedAsync("cat", "/root/bundle/doctor.json");
        Assert.Contains("OPENAI_API_KEY (version", doctor, StringComparison.Ordinal);

        // The app has the secret, which proves that the search can find it.
        Assert.NotEqual("", await machine.FindKeyAsync("/proc/[0-9]*/environ"));
        Assert.Equal("", await machine.FindKeyAsync("/proc/[0-9]*/cmdline"));
        Assert.Equal("", await machine.FindKeyAsync("--recursive --exclude-dir=proc --exclude-dir=sys /"));
        Assert.DoesNotContain(
            machine.Key,
            await machine.RunCheckedAsync("journalctl", "--output", "verbose", "--all", "--no-pager"),
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            machine.Key, await machine.RunCheckedAsync("sh", "-c", "docker inspect $(docker ps --all --quiet)"), StringComparison.Ordinal);
        Assert.Equal("", await machine.RunCheckedAsync("sh", "-c", "find / -xdev -name 'core*' -type f -size +1k -path '*core.*' 2>/dev/null || true"));
    }
}
