using System.Security.Cryptography;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>A person uses a real Streamlit app through the front door.</summary>
public sealed class StreamlitBrowserTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    /// <summary>Generous, because only a failing test waits this long.</summary>
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 90_000 };

    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    private string Url => $"http://127.0.0.1:{Port}/";

    [Theory, MemberData(nameof(Versions))]
    public async Task A_person_types_clicks_uploads_and_downloads_in_a_real_Streamlit_app(string version)
    {
        await PushStreamlitAsync(version, "good/widgets");
        ConfigureStreamlit();
        StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var page = await chromium.OpenAsync();

        await page.GotoAsync($"{Url}?page=seven");
        await ShowsAsync(page, $"Version {version}");
        await ShowsAsync(page, "Page seven");
        await page.GetByLabel("Name").FillAsync("Ada");
        await page.GetByLabel("Name").PressAsync("Enter");
        await ShowsAsync(page, "Hello, Ada.");
        await CountAsync(page, 1);
        await CountAsync(page, 2);
        await ShowsAsync(page, "Hello, Ada.");

        var content = RandomNumberGenerator.GetBytes(200_000_000);
        var file = Path.Combine(Folder, "upload.bin");
        await File.WriteAllBytesAsync(file, content, TestCancellation);
        await page.Locator("input[type=file]").SetInputFilesAsync(file);
        await ShowsAsync(page, $"{content.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(content))}");

        var download = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Download", Exact = true }).First.ClickAsync());
        Assert.Equal("zeros.bin", download.SuggestedFilename);
        Assert.Equal(new byte[1_000_000], await File.ReadAllBytesAsync(await download.PathAsync(), TestCancellation));
        Assert.True(await page.Locator("[data-testid=stImage] img").EvaluateAsync<int>("image => image.naturalWidth") > 0);
        await Assertions.Expect(page.Locator("[data-testid=stDataFrame] canvas").First).ToBeVisibleAsync(Patient);
        await Assertions.Expect(page.Locator("[data-testid=stException]")).ToHaveCountAsync(0);
    }

    [Theory, MemberData(nameof(Versions))]
    public async Task Two_tabs_of_a_real_Streamlit_app_keep_their_own_sessions_through_an_agent_restart(string version)
    {
        await PushStreamlitAsync(version, "good/widgets");
        ConfigureStreamlit();
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port);
        var window = await chromium.OpenWindowAsync();
        var first = await window.NewPageAsync();
        await first.GotoAsync(Url);
        var second = await window.NewPageAsync();
        await second.GotoAsync(Url);
        await CountAsync(first, 1);
        await CountAsync(first, 2);
        await CountAsync(second, 1);
        // A page reload would lose this variable.
        await first.EvaluateAsync("window.isStillHere = true");

        await agent.StopAsync("TERM");
        StartAgent();
        await WaitUntilServingAsync();

        await CountAsync(first, 3);
        await CountAsync(second, 2);
        Assert.True(await first.EvaluateAsync<bool>("window.isStillHere"));
    }

    private static async Task CountAsync(IPage page, int expected)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Count" }).ClickAsync(new() { Timeout = Patient.Timeout });
        await ShowsAsync(page, $"Clicks: {expected}");
    }

    private static Task ShowsAsync(IPage page, string text) =>
        Assertions.Expect(page.GetByText(text, new() { Exact = true })).ToBeVisibleAsync(Patient);
}
