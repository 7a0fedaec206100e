using System.Net.WebSockets;
using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>An idle instance is stopped through EC2. LocalAws only records the stop, so the test machine keeps running.</summary>
public sealed class IdleInstanceTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private int StopRequests => Aws.Requests.Count(Operations.StopInstances);

    private void ConfigureIdleStop()
    {
        // The test machine has been up for longer than the grace.
        Config["idle"] = new JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        Config["update"] = new JsonObject { ["every"] = null, ["watch"] = "1s" };
    }

    [Fact]
    public async Task An_idle_instance_gives_notice_and_then_asks_EC2_once_to_stop_it()
    {
        ConfigureIdleStop();
        await PushAsync();
        var agent = StartAgent();
        await WaitUntilServingAsync();

        var noticed = await WaitForAsync(s => s.Idle is { Noticed: true }, "the notice is given");
        Assert.Equal(("idle", false), (noticed.Idle!.Because, noticed.Idle.Stopping));
        Assert.EndsWith("The instance stops soon: no one has used the app for 10s.", noticed.Headline, StringComparison.Ordinal);
        await WaitForAsync(s => s.Idle is { Stopping: true }, "the stop is accepted");

        var call = Assert.Single(Aws.Requests.ByOperation(Operations.StopInstances));
        Assert.Equal(("arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0", 200), (call.Resource, call.Status));
        await agent.WaitForLogAsync("No one has used the app for 10s: the instance stops in 10s unless someone uses it.");
        await agent.WaitForLogAsync("EC2 is stopping the instance i-0123456789abcdef0.");
        Assert.Contains(
            "The instance is being stopped.",
            (await RunCommandAsync("update", "--runtime-dir", RuntimeDirectory)).AssertFailed(),
            StringComparison.Ordinal);
        Assert.Equal(System.Net.HttpStatusCode.OK, (await GetAsync()).Status);   // until the machine goes off
    }

    [Fact]
    public async Task A_request_cancels_the_idle_stop_and_a_forgotten_tab_does_not()
    {
        ConfigureIdleStop();
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        using var tab = new ClientWebSocket();
        await tab.ConnectAsync(new Uri($"ws://127.0.0.1:{Port}/_stcore/stream"), TestCancellation);

        await WaitForAsync(s => s is { Idle.Noticed: true, App.Sessions: 1 }, "the open tab does not prevent the notice");
        await GetAsync("/_stcore/health");
        await WaitForAsync(s => s.Idle is { Noticed: true }, "nor do the requests that a page makes automatically");
        await GetAsync();
        await WaitForAsync(s => s.Idle is { Noticed: false }, "a request cancels it");
        await agent.WaitForLogAsync("The app is in use again: the instance keeps running for now.");

        await WaitForAsync(s => s.Idle is { Noticed: true }, "the notice is given again");
        await tab.SendAsync("a question"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestCancellation);
        await WaitForAsync(s => s.Idle is { Noticed: false }, "a message in the open tab cancels it too");
        Assert.Equal(0, StopRequests);
    }

    [Fact]
    public async Task A_denied_idle_stop_is_reported_with_the_exact_permission_and_retried()
    {
        Aws.Faults.Add(Operations.StopInstances, new Fault.Error("UnauthorizedOperation"));
        ConfigureIdleStop();
        await PushAsync();
        StartAgent();

        var problem = await WaitForProblemAsync("aws-denied");
        Assert.StartsWith(
            "AWS denied the request to stop the instance i-0123456789abcdef0: You are not authorized to perform this operation. User: arn:aws:sts::123456789012:assumed-role/",
            problem.What,
            StringComparison.Ordinal);
        Assert.DoesNotContain("Encoded", problem.What, StringComparison.Ordinal);
        Assert.Equal("Allow the instance role ec2:StopInstances on arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0. No restart is needed.", problem.Remedy);
        Assert.NotNull(problem.NextTry);

        Aws.Faults.Clear();
        var status = await WaitForAsync(s => s.Idle is { Stopping: true }, "the stop is accepted");
        Assert.Empty(status.Problems);
    }

    [Theory]
    [InlineData("RequestLimitExceeded", "aws-throttled")]
    [InlineData("InternalError", "aws-server")]
    [InlineData("OperationNotPermitted", "ec2-stop-protected")]
    public async Task Other_EC2_errors_on_an_idle_stop_are_reported_and_retried(string type, string code)
    {
        Aws.Faults.Add(Operations.StopInstances, new Fault.Error(type), times: 1);
        ConfigureIdleStop();
        await PushAsync();
        StartAgent();

        await WaitForProblemAsync(code);
        await WaitForAsync(s => s.Idle is { Stopping: true }, "the stop is accepted");
    }

    [Fact]
    public async Task The_doctor_checks_the_stop_permission_without_stopping_the_instance()
    {
        ConfigureIdleStop();
        await PushAsync();
        WriteConfig();
        Task<RagAgent.IntegrationTests.Support.ProcessResult> ExamineAsync() => RunCommandAsync(
            "doctor", "--config", ConfigFile, "--runtime-dir", RuntimeDirectory, "--state-dir", StateDirectory);

        Assert.Contains(
            "ok      idle        EC2 would stop the instance i-0123456789abcdef0 on the agent's request.",
            (await ExamineAsync()).AssertSucceeded(),
            StringComparison.Ordinal);
        Assert.Equal(412, Assert.Single(Aws.Requests.ByOperation(Operations.StopInstances)).Status);

        Aws.Faults.Add(Operations.StopInstances, new Fault.Error("UnauthorizedOperation"));
        var denied = await ExamineAsync();
        Assert.Equal(1, denied.ExitCode);
        Assert.Contains("FAILED  idle        AWS denied the request to stop the instance i-0123456789abcdef0", denied.Output, StringComparison.Ordinal);
        Assert.Contains("Allow the instance role ec2:StopInstances on arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0", denied.Output, StringComparison.Ordinal);
    }
}
