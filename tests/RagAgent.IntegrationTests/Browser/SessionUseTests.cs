using System.Text.Json.Nodes;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>With real Streamlit and its own page: the agent tells a person from a forgotten tab.</summary>
public sealed class SessionUseTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private const string App = "activity/work";

    /// <summary>Generous, because only a failing test waits this long.</summary>
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 120_000 };

    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    private string Url => $"http://127.0.0.1:{Port}/";

    [Theory, MemberData(nameof(Versions))]
    public async Task An_update_waits_for_a_person_and_not_for_a_forgotten_tab(string version)
    {
        Config["update"] = new JsonObject { ["every"] = "10s", ["idleAfter"] = "10s", ["watch"] = "1s", ["drain"] = "1s" };
        await PushStreamlitAsync(version, App);
        ConfigureStreamlit();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync();
        await page.GotoAsync(Url);
        await ClickAsync(page, "Count");
        await WaitForAsync(s => s.App is { Sessions: 1, SessionsInUse: 1 }, "the person is noticed");
        await WaitForAsync(s => s.App is { Sessions: 1, SessionsInUse: 0 }, "the tab is forgotten");

        var lastClick = DateTimeOffset.MinValue;
        using (var leave = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation))
        {
            var person = ClickUntilAsync(leave.Token);
            await PushStreamlitAsync(version, "good/plain");
            var waiting = await WaitForAsync(s => s.Rollout.Wait is not null, "the newer image waits");
            Assert.Equal(("waiting", 1), (waiting.Rollout.Phase, waiting.Rollout.Wait!.Sessions));
            Assert.Equal(TimeSpan.FromHours(24), waiting.Rollout.Wait.Until - waiting.Rollout.Wait.Since);
            Assert.EndsWith("a newer release waits until no session is in use (1 of 1 now).", waiting.Headline, StringComparison.Ordinal);
            await agent.WaitForLogAsync("waits until no session is in use (1 of 1 now), for 1d at most");
            await leave.CancelAsync();
            await person;
        }
        var updated = await WaitForAsync(s => s.App is { State: "serving", Newest: true }, "the newer image serves");

        Assert.True(updated.App.Since >= lastClick + TimeSpan.FromSeconds(10), $"The last click was at {lastClick}, the update at {updated.App.Since}.");
        await Assertions.Expect(page.GetByText("Activity")).ToBeVisibleAsync();

        async Task ClickUntilAsync(CancellationToken leaves)
        {
            while (!leaves.IsCancellationRequested)
            {
                lastClick = TimeProvider.System.GetUtcNow();
                await ClickAsync(page, "Count");
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, leaves).ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
    }

    [Theory]
    [InlineData("1.67.0", 65)]
    [InlineData("1.56.0", 25)]
    public async Task Work_that_a_person_began_is_use_and_a_page_that_redraws_itself_is_not(string version, int seconds)
    {
        // The test machine has been up for longer than the grace.
        Config["idle"] = new JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        Config["update"] = new JsonObject { ["every"] = null, ["watch"] = "1s", ["idleAfter"] = "5s" };
        await PushStreamlitAsync(version, App);
        ConfigureStreamlit();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync();

        await page.GotoAsync($"{Url}?seconds={seconds}");
        await ClickAsync(page, "Ingest");
        var done = Assertions.Expect(page.GetByText("Ingested.")).ToBeVisibleAsync(Patient);
        while (!done.IsCompleted)
        {
            var status = await WaitForAsync(_ => true, "the agent answers");
            Assert.Equal((1, false), (status.App.SessionsInUse, status.Idle!.Noticed));
            await Task.WhenAny(done, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TestCancellation));
        }
        await done;
        await IsForgottenAsync("after the work");

        await page.GotoAsync($"{Url}?what=clock");
        await WaitForAsync(s => s.Idle is { Noticed: false }, "a person opened the page");
        await IsForgottenAsync("although a part of it runs every second");
        await ChangesByItselfAsync(page, "Clock");

        await page.GotoAsync($"{Url}?what=redraws");
        await WaitForAsync(s => s.Idle is { Noticed: false }, "a person opened the page");
        await IsForgottenAsync("although it redraws itself every second");
        await ChangesByItselfAsync(page, "Drawn");
        Assert.DoesNotContain("EC2 is stopping", agent.Log, StringComparison.Ordinal);
    }

    private Task<StatusDocument> IsForgottenAsync(string when) => WaitForAsync(
        s => s is { Idle.Noticed: true, App: { Sessions: 1, SessionsInUse: 0 } }, $"the open tab is forgotten {when}");

    private static async Task ChangesByItselfAsync(IPage page, string text)
    {
        var shown = await page.GetByText(text).TextContentAsync();
        await Assertions.Expect(page.GetByText(text)).Not.ToHaveTextAsync(shown!, new() { Timeout = 10_000 });
    }

    private static Task ClickAsync(IPage page, string button) =>
        page.GetByRole(AriaRole.Button, new() { Name = button }).ClickAsync(new() { Timeout = Patient.Timeout });
}
