using System.Security.Cryptography;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>A person uses a real Streamlit app through the front door.</summary>
public sealed class StreamlitBrowserTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    public static TheoryData<string> Versions => StreamlitInstallation.Versions;

    [Theory, MemberData(nameof(Versions))]
    public async Task A_person_types_clicks_uploads_and_downloads_in_a_real_Streamlit_app(string version)
    {
        await PushStreamlitAsync(version, "good/widgets");
        ConfigureStreamlit();
        StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync();
        var page = await chromium.OpenAsync();

        await page.GotoAsync($"http://127.0.0.1:{Port}/?page=seven");
        await ShowsAsync(page, $"Version {version}");
        await ShowsAsync(page, "Page seven");
        await page.GetByLabel("Name").FillAsync("Ada");
        await page.GetByLabel("Name").PressAsync("Enter");
        await ShowsAsync(page, "Hello, Ada.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Count" }).ClickAsync();
        await ShowsAsync(page, "Clicks: 1");
        await page.GetByRole(AriaRole.Button, new() { Name = "Count" }).ClickAsync();
        await ShowsAsync(page, "Clicks: 2");
        await ShowsAsync(page, "Hello, Ada.");

        var content = RandomNumberGenerator.GetBytes(5_000_000);
        await page.Locator("input[type=file]").SetInputFilesAsync(
            new FilePayload { Name = "upload.bin", MimeType = "application/octet-stream", Buffer = content });
        await ShowsAsync(page, $"{content.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(content))}");

        var download = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Download", Exact = true }).First.ClickAsync());
        Assert.Equal("zeros.bin", download.SuggestedFilename);
        Assert.Equal(new byte[1_000_000], await File.ReadAllBytesAsync(await download.PathAsync(), TestCancellation));
        Assert.True(await page.Locator("[data-testid=stImage] img").EvaluateAsync<int>("image => image.naturalWidth") > 0);
        await Assertions.Expect(page.Locator("[data-testid=stDataFrame] canvas").First).ToBeVisibleAsync(Patient);
        await Assertions.Expect(page.Locator("[data-testid=stException]")).ToHaveCountAsync(0);
    }

    /// <summary>Several browsers share two cores.</summary>
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 30_000 };

    private static Task ShowsAsync(IPage page, string text) =>
        Assertions.Expect(page.GetByText(text, new() { Exact = true })).ToBeVisibleAsync(Patient);
}
