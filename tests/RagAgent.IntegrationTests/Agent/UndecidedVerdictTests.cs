using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>The new image and the previous one both fail, so neither image is to blame.</summary>
public sealed class UndecidedVerdictTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Wrong = "sk-wrong-";

    [Theory]
    [InlineData("start-first")]
    [InlineData("stop-first")]
    public async Task A_secret_that_both_images_refuse_leaves_the_verdict_undecided_until_it_is_corrected(string swap)
    {
        ConfigureUpdate(swap, "2s");
        var before = await ServeGoodAsync("old", ("FAKE_APP_REFUSES_KEYS", Wrong));
        Aws.Parameters.Put(Parameter, $"{Wrong}{Key}");
        await PushWithBehaviorAsync("new", ("FAKE_APP_REFUSES_KEYS", Wrong));
        await using var history = await WatchContainersAsync();

        var update = await UpdateAsync();

        Assert.Equal(1, update.ExitCode);
        var status = await WaitForAsync(s => s.Rollout.SetAside?.Verdict == "undecided", "the verdict is undecided");
        var newest = status.Rollout.SetAside!.Digest;
        Assert.Equal(status.Image.Digest, newest);
        // From now on only the old image is tried. Its own restarts measure the time.
        var (old, tries) = (history.StartsOf(before.App.Digest!), history.StartsOf(newest));
        await WaitUntilAsync(() => Task.FromResult(history.StartsOf(before.App.Digest!) >= old + 5), "the old image is tried again");
        Assert.Equal((3, 3), (tries, history.StartsOf(newest)));
        Assert.Equal("undecided", (await WaitForAsync(_ => true, "the status")).Rollout.SetAside?.Verdict);
        if (swap == "start-first")
        {
            Assert.Equal("old", await ServedVersionAsync());   // with the secret from its start
            Assert.Equal(
                $"The app serves ({before.App.Digest![..19]}). The newest image {newest[..19]} failed, and so did the one before it: " +
                $"The app's container {Name}-next exited with code 4.",
                (await WaitUntilServingAsync()).Headline);
        }
        else
        {
            await WaitForAsync(s => s.Rollout.Phase == "undecided", "the phase is undecided");
        }

        Aws.Parameters.Put(Parameter, Key);
        (await UpdateAsync()).AssertSucceeded();

        Assert.Equal("new", await ServedVersionAsync());
        Assert.Null((await WaitForAsync(s => s.Rollout.Phase == "settled", "the watch is over")).Rollout.SetAside);
    }
}
