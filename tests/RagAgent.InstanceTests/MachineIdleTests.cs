using System.Text.Json.Nodes;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>An idle instance stops itself and serves again after the next start.</summary>
public sealed class MachineIdleTests
{
    private const string IdleStopConfig =
        """
        {
          "image": "ragstream-web",
          "secrets": { "OPENAI_API_KEY": "/ragstream/OPENAI_API_KEY" },
          "idle": { "stopAfter": "10s", "grace": "1m" },
          "update": { "watch": "1s" }
        }
        """;

    private const string Zone = "Z0123456789ABCDEFGHIJ";

    [Fact]
    public async Task An_idle_machine_powers_itself_off_and_serves_again_after_the_next_boot()
    {
        await using var machine = await Machine.BakeAsync();
        machine.WriteConfig(IdleStopConfig.Replace("\"idle\":", $$"""
            "dns": { "zone": "{{Zone}}", "name": "rag.example.com", "onStop": "delete" }, "idle":
            """, StringComparison.Ordinal));
        await machine.PowerOnAsync();
        await machine.LocalAwsAsync("zone", "add", Zone, "example.com");
        await machine.LocalAwsAsync("instance", "--public-ipv4", "203.0.113.7");
        await machine.PushAsync("1");
        await machine.WaitUntilServingAsync("1");
        await machine.WaitUntilAsync(IsNamedAsync, "the DNS name points at the machine");
        await machine.RunCheckedAsync("systemctl", "restart", "ragagent");
        Assert.True(await IsNamedAsync());   // a stop of the agent is not a stop of the machine

        await machine.WaitUntilAsync(async () => !await machine.IsRunningAsync(), "the machine powers off");
        Assert.False(await IsNamedAsync());

        Assert.Equal(1, await machine.CountAwsRequestsAsync("ec2:StopInstances"));
        await machine.PowerOnAsync();
        await machine.WaitUntilServingAsync("1");
        var journal = await machine.RunCheckedAsync("journalctl", "--unit", "ragagent", "--boot=-1", "--no-pager", "--output", "cat");
        Assert.Contains("No one has used the app for 10s: the instance stops in 10s unless someone uses it.", journal, StringComparison.Ordinal);
        Assert.Contains("EC2 is stopping the instance i-0123456789abcdef0.", journal, StringComparison.Ordinal);
        Assert.DoesNotContain("crash", await machine.JournalAsync(), StringComparison.Ordinal);

        // This time a person powers off, so only systemd knows that the machine goes off.
        await machine.WaitUntilAsync(IsNamedAsync, "the DNS name points at the machine again");
        await machine.PowerOffAsync();
        Assert.False(await IsNamedAsync());

        async Task<bool> IsNamedAsync() => await machine.LocalAwsAsync("zone", "records", Zone) == "rag.example.com. 60 A 203.0.113.7";
    }

    [Fact]
    public async Task Requests_keep_the_machine_on_and_a_missing_stop_permission_is_reported()
    {
        await using var machine = await Machine.BakeAsync();
        machine.WriteConfig(IdleStopConfig);
        await machine.PowerOnAsync();
        await machine.PushAsync("1");
        await machine.WaitUntilServingAsync("1");

        // More than twice as long as an idle stop takes.
        for (var i = 0; i < 12; i++)
        {
            await machine.WaitUntilServingAsync("1");
            await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        Assert.Equal(0, await machine.CountAwsRequestsAsync("ec2:StopInstances"));

        await machine.LocalAwsAsync("fault", "set", "ec2:StopInstances", "error", "--type", "UnauthorizedOperation");
        await machine.WaitUntilAsync(
            async () =>
                JsonNode.Parse((await machine.RunAsync("ragagent", "status", "--json")).Output)!["problems"]!
                    .AsArray()
                    .Any(problem => (string?)problem!["code"] == "aws-denied"),
            "the missing permission is reported");
        Assert.Contains(
            "Allow the instance role ec2:StopInstances on arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0",
            await machine.JournalAsync(),
            StringComparison.Ordinal);
        await machine.WaitUntilServingAsync("1");
    }
}
