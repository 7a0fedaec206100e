using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>A person uses a real Streamlit app through the front door.</summary>
public sealed class StreamlitBrowserTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    private const string Password = "open sesame";
    private const string BasePath = "/rag";

    /// <summary>Generous, because only a failing test waits this long.</summary>
    private static readonly LocatorAssertionsToBeVisibleOptions Patient = new() { Timeout = 90_000 };

    private readonly int _httpsPort = FreePort();

    public static TheoryData<string, BrowserRoute> DifferentRoutes =>
        OnBothServers([BrowserRoute.Http, BrowserRoute.TlsWithPasswordBelowPath]);

    public static TheoryData<string, BrowserRoute> RoutesWithPassword =>
        OnBothServers([BrowserRoute.HttpWithPasswordBelowPath, BrowserRoute.TlsWithPasswordBelowPath]);

    [Theory, MemberData(nameof(DifferentRoutes))]
    public async Task A_person_types_clicks_uploads_and_downloads_in_a_real_Streamlit_app(string version, BrowserRoute route)
    {
        await StartAppAsync(version, route);
        await using var chromium = await ChromiumBrowser.StartAsync(Port, _httpsPort);
        var page = await (await chromium.OpenWindowAsync()).NewPageAsync();
        var handshakes = await WatchHandshakesAsync(page);

        await OpenAsync(page, route, "?page=seven");
        await ShowsAsync(page, $"Version {version}");
        await ShowsAsync(page, "Page seven");
        await page.GetByLabel("Name").FillAsync("Ada");
        await page.GetByLabel("Name").PressAsync("Enter");
        await ShowsAsync(page, "Hello, Ada.");
        await CountAsync(page, 1);
        await CountAsync(page, 2);
        await ShowsAsync(page, "Hello, Ada.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Next page" }).ClickAsync();
        await ShowsAsync(page, "Page eight");
        await Assertions.Expect(page).ToHaveURLAsync($"{Address(route)}?page=eight");
        await UploadAndDownloadAsync(page);
        await AssertMediaAsync(page);
        await Assertions.Expect(page.Locator("[data-testid=stException]")).ToHaveCountAsync(0);
        await Screenshot.TakeAsync(page, $"streamlit-{version}-{route}");

        var protocol = await page.EvaluateAsync<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol");
        Assert.Equal(IsSecure(route) ? "h2" : "http/1.1", protocol);
        // One session from beginning to end: an extended CONNECT with HTTP/2, otherwise an upgrade.
        Assert.Equal([IsSecure(route) ? 200 : 101], handshakes);
    }

    [Theory, MemberData(nameof(RoutesWithPassword))]
    public async Task Two_tabs_of_a_real_Streamlit_app_keep_their_own_sessions_through_an_agent_restart(string version, BrowserRoute route)
    {
        var agent = await StartAppAsync(version, route);
        await using var chromium = await ChromiumBrowser.StartAsync(Port, _httpsPort);
        var window = await chromium.OpenWindowAsync();
        var first = await window.NewPageAsync();
        await OpenAsync(first, route);
        var second = await window.NewPageAsync();
        await second.GotoAsync(Address(route));
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
        await Screenshot.TakeAsync(second, $"streamlit-restarted-{version}-{route}");
    }

    private static TheoryData<string, BrowserRoute> OnBothServers(IEnumerable<BrowserRoute> routes) =>
        [.. routes.SelectMany(route => StreamlitInstallation.Versions.Select(version => (version.Data, route)))];

    private static bool IsSecure(BrowserRoute route) => route == BrowserRoute.TlsWithPasswordBelowPath;

    private static bool IsGuarded(BrowserRoute route) => route != BrowserRoute.Http;

    private string Address(BrowserRoute route) =>
        (IsSecure(route) ? $"https://127.0.0.1:{_httpsPort}" : $"http://127.0.0.1:{Port}") + (IsGuarded(route) ? $"{BasePath}/" : "/");

    private async Task<AgentProcess> StartAppAsync(string version, BrowserRoute route)
    {
        ConfigureStreamlit();
        if (IsGuarded(route))
        {
            Config["listen"]!["basePath"] = BasePath;
            ConfigureApp(("STREAMLIT_SERVER_BASE_URL_PATH", BasePath.Trim('/')));
            Aws.Parameters.Put("/ragstream/PASSWORD_HASH", await HashAsync(Password));
            Config["access"] = new JsonObject { ["password"] = "/ragstream/PASSWORD_HASH" };
        }
        if (IsSecure(route))
        {
            using var authority = new TestCertificateAuthority();
            authority.Issue(TimeProvider.System.GetUtcNow().AddDays(-1), TimeSpan.FromDays(30));
            var (certificate, key) = (Path.Combine(Folder, "fullchain.pem"), Path.Combine(Folder, "privkey.pem"));
            File.Copy(authority.Certificate, certificate);
            File.Copy(authority.Key, key);
            Config["listen"]!["https"] = _httpsPort;
            Config["tls"] = new JsonObject { ["certificate"] = certificate, ["key"] = key };
        }
        await PushStreamlitAsync(version, "good/widgets");
        var agent = StartAgent();
        await WaitUntilServingAsync();
        return agent;
    }

    /// <summary>Opens the app, with the password where there is one. From then on a cookie has it.</summary>
    private async Task OpenAsync(IPage page, BrowserRoute route, string query = "")
    {
        if (IsGuarded(route))
        {
            var withPassword = Address(route).Replace("://", $"://me:{Uri.EscapeDataString(Password)}@", StringComparison.Ordinal);
            Assert.Equal(200, (await page.GotoAsync($"{withPassword}_stcore/health"))!.Status);
        }
        Assert.Equal(200, (await page.GotoAsync(Address(route) + query))!.Status);
    }

    /// <summary>The status of each WebSocket handshake from now on.</summary>
    private static async Task<IReadOnlyCollection<int>> WatchHandshakesAsync(IPage page)
    {
        var statuses = new List<int>();
        var developerTools = await page.Context.NewCDPSessionAsync(page);
        developerTools.Event("Network.webSocketHandshakeResponseReceived").OnEvent +=
            (_, handshake) => statuses.Add(handshake!.Value.GetProperty("response").GetProperty("status").GetInt32());
        await developerTools.SendAsync("Network.enable");
        return statuses;
    }

    private async Task UploadAndDownloadAsync(IPage page)
    {
        var content = RandomNumberGenerator.GetBytes(200_000_000);
        var file = Path.Combine(Folder, "upload.bin");
        await File.WriteAllBytesAsync(file, content, TestCancellation);
        await page.Locator("input[type=file]").SetInputFilesAsync(file);
        await ShowsAsync(page, $"{content.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(content))}");

        var download = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Download", Exact = true }).First.ClickAsync());
        Assert.Equal("zeros.bin", download.SuggestedFilename);
        Assert.Equal(new byte[1_000_000], await File.ReadAllBytesAsync(await download.PathAsync(), TestCancellation));
    }

    /// <summary>The page shows its picture, its sound, of which it can also get a part, and its table.</summary>
    private static async Task AssertMediaAsync(IPage page)
    {
        Assert.True(await page.Locator("[data-testid=stImage] img").EvaluateAsync<int>("image => image.naturalWidth") > 0);
        await Assertions.Expect(page.Locator("[data-testid=stDataFrame] canvas").First).ToBeVisibleAsync(Patient);
        var sound = page.Locator("audio");
        await Assertions.Expect(sound).ToHaveJSPropertyAsync("duration", 2, new() { Timeout = Patient.Timeout });
        Assert.Equal("206 10", await sound.EvaluateAsync<string>(
            """
            async sound => {
              const part = await fetch(sound.src, { headers: { Range: 'bytes=100-109' } });
              return `${part.status} ${(await part.arrayBuffer()).byteLength}`;
            }
            """));
    }

    private static async Task CountAsync(IPage page, int expected)
    {
        await page.GetByRole(AriaRole.Button, new() { Name = "Count" }).ClickAsync(new() { Timeout = Patient.Timeout });
        await ShowsAsync(page, $"Clicks: {expected}");
    }

    private static Task ShowsAsync(IPage page, string text) =>
        Assertions.Expect(page.GetByText(text, new() { Exact = true })).ToBeVisibleAsync(Patient);
}
