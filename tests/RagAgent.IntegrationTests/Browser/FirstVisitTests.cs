using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>The gate's session has imported what the app needs before the first visitor comes.</summary>
public sealed class FirstVisitTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    [Theory]
    [InlineData(StreamlitInstallation.WithUvicorn)]
    [InlineData(StreamlitInstallation.WithTornado)]
    public async Task After_an_update_the_first_visitor_does_not_wait_for_the_imports(string version)
    {
        ConfigureStreamlit();
        ConfigureUpdate("start-first", watch: "1s");
        await PushStreamlitAsync(version, "good/plain");
        StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        await VisitAsync(chromium, "A plain app");   // a new browser's first page takes longer
        await PushStreamlitAsync(version, "good/imports_first");
        (await UpdateAsync()).AssertSucceeded();

        // The first session was the gate's.
        var first = await VisitAsync(chromium, "Session 2 since the imports");
        var second = await VisitAsync(chromium, "Session 3 since the imports");

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{version}: first visitor {first.TotalSeconds:F2} s, second {second.TotalSeconds:F2} s, ratio {first / second:F2}");
    }

    private async Task<TimeSpan> VisitAsync(ChromiumBrowser chromium, string expected)
    {
        var page = await chromium.OpenAsync();
        var began = TimeProvider.System.GetTimestamp();
        await page.GotoAsync($"http://127.0.0.1:{Port}/");
        await Assertions.Expect(page.GetByText(expected)).ToBeVisibleAsync(new() { Timeout = 90_000 });
        return TimeProvider.System.GetElapsedTime(began);
    }
}
