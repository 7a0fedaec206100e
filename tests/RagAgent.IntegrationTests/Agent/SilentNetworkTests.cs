using System.Text.Json.Nodes;
using LocalAws.Faults;
using LocalAws.Requests;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>A boot while the network swallows everything: AWS and the registry accept connections and never answer.</summary>
public sealed class SilentNetworkTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    [Fact]
    public async Task The_image_on_disk_serves_before_the_first_look_up_has_timed_out()
    {
        var file = Path.Combine(Folder, "key");
        await File.WriteAllTextAsync(file, Key, TestCancellation);
        Config["secrets"] = new JsonObject { ["OPENAI_API_KEY"] = new JsonObject { ["file"] = file } };
        await ServeOnceAndRebootAsync();

        var began = TimeProvider.System.GetTimestamp();
        var agent = StartAgent();
        var status = await WaitUntilServingAsync();

        TestContext.Current.SendDiagnosticMessage($"It served {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s after the agent's start.");
        Assert.Null(status.App.Newest);
        Assert.DoesNotContain(status.Problems, problem => problem.Code is "ecr-unreachable" or "registry-unreachable");
        await agent.WaitForLogAsync("from the image on disk");
    }

    [Fact]
    public async Task Without_the_secrets_the_status_says_that_they_are_what_is_missing()
    {
        await ServeOnceAndRebootAsync();

        StartAgent();

        await WaitForAsync(
            status => status.Headline == "Waiting for the secrets: their source hasn't answered yet. The image is on disk.",
            "the secrets are named");
        await WaitForProblemAsync("ssm-unreachable");
    }

    private async Task ServeOnceAndRebootAsync()
    {
        await PushAsync();
        StartAgent();
        await WaitForAsync(status => status.App.State == "serving" && status.Rollout.Phase == "watch", "the image is on trial");
        await RebootAsync();
        foreach (var operation in new[] { Operations.GetAuthorizationToken, Operations.RegistryAny, Operations.GetParameter })
        {
            Aws.Faults.Add(operation, new Fault.Hang());
        }
    }
}
