using LocalAws.Faults;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>What a person sees who opens the URL, in a real browser. RAGAGENT_SCREENSHOTS names a folder that gets a picture of each state.</summary>
public sealed class VisitTests(Bench bench) : AgentTest(bench)
{
    private static readonly string? Pictures = Environment.GetEnvironmentVariable("RAGAGENT_SCREENSHOTS");

    private string Url => $"http://127.0.0.1:{Port}/";

    [Fact]
    public async Task Who_comes_before_there_is_an_image_sees_what_goes_on_and_lands_in_the_app_by_itself()
    {
        Config["page"] = new System.Text.Json.Nodes.JsonObject { ["title"] = "RAGstream", ["details"] = "full" };
        Config["health"]!["gate"] = new System.Text.Json.Nodes.JsonObject { ["webSocket"] = "/_stcore/stream" };
        await using var chromium = await ChromiumBrowser.StartAsync();
        StartAgent();
        await WaitForProblemAsync("registry-repository-missing");
        var page = await chromium.OpenAsync();

        var first = await page.GotoAsync(Url);

        Assert.Equal(503, first!.Status);
        await Assertions.Expect(page.Locator("body")).ToContainTextAsync("ragstream-web");
        await PictureAsync(page, "waiting");

        await PushFullAsync("1", "--ballast", "60m");
        Aws.Faults.Add("registry:blob", new Fault.Throttle(10_000_000));
        var update = UpdateAsync();
        await Assertions.Expect(page.Locator("#amount")).ToContainTextAsync(" MB of ", new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#pace")).ToContainTextAsync("/s", new() { Timeout = 30_000 });
        await PictureAsync(page, "pulling");
        (await update).Succeeded();
        await Assertions.Expect(page.Locator("#version")).ToHaveTextAsync("1", new() { Timeout = 30_000 });
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("open");
        await PictureAsync(page, "serving");
    }

    [Fact]
    public async Task Who_is_in_the_app_stays_in_it_through_a_restart_of_the_agent_and_sees_an_update()
    {
        Updates("start-first", "1s");
        Config["update"]!["drain"] = "1s";
        Config["health"]!["gate"] = new System.Text.Json.Nodes.JsonObject { ["webSocket"] = "/_stcore/stream" };
        await PushFullAsync("1");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync();
        var page = await chromium.OpenAsync();
        await page.GotoAsync(Url);
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("open");
        // It is lost when the page is loaded again.
        await page.EvaluateAsync("window.isStillHere = true");

        await agent.EndAsync("TERM");
        await Assertions.Expect(page.Locator("#connection")).ToHaveTextAsync("closed");
        StartAgent();
        await Assertions.Expect(page.Locator("#opened")).ToHaveTextAsync("2", new() { Timeout = 30_000 });
        Assert.True(await page.EvaluateAsync<bool>("window.isStillHere"));

        await PushFullAsync("2");
        await UpdateAsync();
        await Assertions.Expect(page.Locator("#version")).ToHaveTextAsync("2", new() { Timeout = 30_000 });
        Assert.True(await page.EvaluateAsync<bool>("window.isStillHere"));
    }

    private static Task PictureAsync(IPage page, string name) =>
        Pictures is null ? Task.CompletedTask : page.ScreenshotAsync(new() { Path = Path.Combine(Pictures, $"{name}.png"), FullPage = true });
}
