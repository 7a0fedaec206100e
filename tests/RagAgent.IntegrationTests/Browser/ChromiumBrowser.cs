using Microsoft.Playwright;
using RagAgent.IntegrationTests.Support;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>The system's Chromium, headless, in a <see cref="BrowserNetwork"/>.</summary>
internal sealed class ChromiumBrowser : IAsyncDisposable
{
    private readonly BrowserNetwork _network;
    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;

    private ChromiumBrowser(BrowserNetwork network, IPlaywright playwright, IBrowser browser) =>
        (_network, _playwright, _browser) = (network, playwright, browser);

    /// <param name="ports">The ports on loopback that it can reach.</param>
    public static async Task<ChromiumBrowser> StartAsync(params int[] ports)
    {
        (await EngineFixture.RunScriptAsync("scripts/apt-install.sh", ["chromium"])).AssertSucceeded();
        var network = await BrowserNetwork.CreateAsync();
        foreach (var port in ports)
        {
            network.Forward(port);
        }
        var playwright = await Playwright.CreateAsync();
        // Tests run as root, where Chromium has no sandbox.
        var browser = await playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = network.Program, Args = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"] });
        return new ChromiumBrowser(network, playwright, browser);
    }

    /// <summary>A new page with an empty profile.</summary>
    public Task<IPage> OpenAsync(BrowserNewPageOptions? options = null) => _browser.NewPageAsync(options);

    /// <summary>An empty profile that several pages share, as the tabs of one person do. It trusts every certificate.</summary>
    public Task<IBrowserContext> OpenWindowAsync() => _browser.NewContextAsync(new() { IgnoreHTTPSErrors = true });

    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        await _network.DisposeAsync();
    }
}
