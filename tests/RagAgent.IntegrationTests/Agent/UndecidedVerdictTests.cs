using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The new image fails and so does the one before it: the fault is not the image's.</summary>
public sealed class UndecidedVerdictTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Wrong = "sk-wrong-";

    [Theory]
    [InlineData("start-first")]
    [InlineData("stop-first")]
    public async Task With_a_secret_that_both_refuse_nothing_is_quarantined_and_nothing_goes_back_and_forth_and_a_good_secret_mends_it(string swap)
    {
        ConfigureUpdate(swap, "2s");
        var before = await ServeGoodAsync("old", ("FAKE_APP_REFUSES_KEYS", Wrong));
        Aws.Parameters.Put(Parameter, $"{Wrong}{Key}");
        await PushWithBehaviorAsync("new", ("FAKE_APP_REFUSES_KEYS", Wrong));
        await using var history = await WatchContainersAsync();

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        var status = await WaitForAsync(s => s.Rollout.SetAside?.Verdict == "undecided", "it is undecided");
        var newest = status.Rollout.SetAside!.Digest;
        Assert.Equal(status.Image.Digest, newest);
        // Whatever is tried from now on is the old one: for a while, of which its own restarts are the clock.
        var (old, tries) = (history.StartsOf(before.App.Digest!), history.StartsOf(newest));
        await WaitUntilAsync(() => Task.FromResult(history.StartsOf(before.App.Digest!) >= old + 5), "the old one is tried on");
        Assert.Equal((3, 3), (tries, history.StartsOf(newest)));
        Assert.Equal("undecided", (await WaitForAsync(_ => true, "the status")).Rollout.SetAside?.Verdict);
        if (swap == "start-first")
        {
            Assert.Equal("old", await ServedVersionAsync());   // with the secret that it got when it was well
            Assert.Equal($"The app serves ({before.App.Digest![..19]}). The newest image {newest[..19]} failed, and so did the one before it: The app's container {Name}-next exited with code 4.",
                (await WaitUntilServingAsync()).Headline);
        }
        else
        {
            await WaitForAsync(s => s.Rollout.Phase == "undecided", "the phase says so");
        }

        Aws.Parameters.Put(Parameter, Key);
        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        Assert.Null((await WaitForAsync(s => s.Rollout.Phase == "settled", "it has proven itself")).Rollout.SetAside);
    }
}
