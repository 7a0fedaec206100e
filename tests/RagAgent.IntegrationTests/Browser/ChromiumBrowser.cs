using Microsoft.Playwright;
using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>The system's Chromium, headless.</summary>
internal sealed class ChromiumBrowser : IAsyncDisposable
{
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private ChromiumBrowser(IPlaywright playwright, IBrowser browser) => (_playwright, _browser) = (playwright, browser);

    public static async Task<ChromiumBrowser> StartAsync()
    {
        (await EngineFixture.RunScriptAsync("scripts/apt-install.sh", ["chromium"])).AssertSucceeded();
        var playwright = await Playwright.CreateAsync();
        // Tests run as root, where Chromium has no sandbox.
        var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"] });
        return new ChromiumBrowser(playwright, browser);
    }

    /// <summary>A new page with an empty profile.</summary>
    public Task<IPage> OpenAsync(BrowserNewPageOptions? options = null) => _browser.NewPageAsync(options);

    /// <summary>An empty profile that several pages share, as the tabs of one person do.</summary>
    public Task<IBrowserContext> OpenWindowAsync() => _browser.NewContextAsync();

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
