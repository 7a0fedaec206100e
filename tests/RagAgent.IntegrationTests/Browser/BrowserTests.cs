using LocalAws.Faults;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>What a person sees in a real browser.</summary>
public sealed class BrowserTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private string Url => $"http://127.0.0.1:{Port}/";

    [Fact]
    public async Task A_browser_opened_before_the_first_pull_sees_progress_and_lands_in_the_app()
    {
        Config["page"] = new System.Text.Json.Nodes.JsonObject { ["title"] = "RAGstream", ["details"] = "full" };
        Config["health"]!["gate"] = new System.Text.Json.Nodes.JsonObject { ["webSocket"] = "/_stcore/stream" };
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        StartAgent();
        await WaitForProblemAsync("registry-repository-missing");
        var page = await chromium.OpenAsync();

        var first = await page.GotoAsync(Url);

        Assert.Equal(503, first!.Status);
        await Assertions.Expect(page.Locator("body")).ToContainTextAsync("ragstream-web");
        await Screenshot.TakeAsync(page, "waiting");

        await PushFullAsync("1", "--ballast", "60m");
        Aws.Faults.Add("registry:blob", new Fault.Throttle(10_000_000));
        var update = UpdateAsync();
        await Assertions.Expect(page.Locator("#amount")).ToContainTextAsync(" MB of ", new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#pace")).ToContainTextAsync("/s", new() { Timeout = 30_000 });
        await Screenshot.TakeAsync(page, "pulling");
        (await update).AssertSucceeded();
        await Assertions.Expect(page.Locator("#version")).ToHaveTextAsync("1", new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("open");
        await Screenshot.TakeAsync(page, "serving");
    }

    [Fact]
    public async Task A_browser_keeps_its_page_through_an_agent_restart_and_an_update()
    {
        ConfigureUpdate("start-first", "1s");
        Config["update"]!["drain"] = "1s";
        Config["health"]!["gate"] = new System.Text.Json.Nodes.JsonObject { ["webSocket"] = "/_stcore/stream" };
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync();
        await page.GotoAsync(Url);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("open");
        // A page reload would lose this variable.
        await page.EvaluateAsync("window.isStillHere = true");

        await agent.StopAsync("TERM");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("closed");
        StartAgent();
        await Assertions.Expect(page.Locator("#opened")).ToHaveTextAsync("2", new() { Timeout = 30_000 });
        Assert.True(await page.EvaluateAsync<bool>("window.isStillHere"));

        await PushFullAsync("2");
        await UpdateAsync();
        await Assertions.Expect(page.Locator("#version")).ToHaveTextAsync("2", new() { Timeout = 30_000 });
        Assert.True(await page.EvaluateAsync<bool>("window.isStillHere"));
    }

    [Fact]
    public async Task The_status_page_of_a_stopped_app_announces_the_idle_stop()
    {
        Config["page"] = new System.Text.Json.Nodes.JsonObject { ["title"] = "RAGstream", ["accent"] = "#d97706" };
        // The test machine has been up for longer than the grace.
        Config["idle"] = new System.Text.Json.Nodes.JsonObject { ["stopAfter"] = "10s", ["grace"] = "1m" };
        await PushAsync();
        StartAgent();
        await WaitUntilServingAsync();
        (await RequestAsync("stop")).AssertSucceeded();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync(
            new() { ColorScheme = ColorScheme.Dark, ViewportSize = new() { Width = 390, Height = 720 }, IsMobile = true });

        Assert.Equal(503, (await page.GotoAsync(Url))!.Status);

        await Assertions.Expect(page.Locator("#sentence")).ToHaveTextAsync("The app is turned off for now.");
        await Screenshot.TakeAsync(page, "stopped");
        await Assertions.Expect(page.Locator("#ending")).ToHaveTextAsync(
            "This machine will shut down soon because no one has used the app for a while.", new() { Timeout = 60_000 });
        await Assertions.Expect(page.Locator("#sentence")).ToHaveTextAsync(
            "This machine is shutting down because no one has used the app for a while.", new() { Timeout = 60_000 });
        await Assertions.Expect(page.Locator("#turns")).ToBeHiddenAsync();
        await Assertions.Expect(page.Locator("#ending")).ToBeHiddenAsync();
        await Screenshot.TakeAsync(page, "leaving");
    }

    [Fact]
    public async Task The_status_page_of_a_failing_app_says_so_and_gives_way_to_the_repaired_app()
    {
        Config["page"] = new System.Text.Json.Nodes.JsonObject { ["title"] = "RAGstream" };
        Config["restart"] = new System.Text.Json.Nodes.JsonObject { ["firstDelay"] = "100ms", ["maxDelay"] = "1s" };
        await PushWithBehaviorAsync("broken", ("FAKE_APP_EXIT_CODE", "3"));
        StartAgent();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync(new() { ViewportSize = new() { Width = 390, Height = 720 }, IsMobile = true });
        await WaitForAsync(s => s.App.CrashLooping, "the app is in a crash loop");

        await page.GotoAsync(Url);

        await Assertions.Expect(page.Locator("#sentence")).ToHaveTextAsync(
            "The app keeps failing. Retrying automatically, with longer and longer pauses.", new() { Timeout = 30_000 });
        await Screenshot.TakeAsync(page, "failing");
        await PushFullAsync("repaired");
        (await UpdateAsync()).AssertSucceeded();
        await Assertions.Expect(page.Locator("#version")).ToHaveTextAsync("repaired", new() { Timeout = 30_000 });
    }
}
