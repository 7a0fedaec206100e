using System.Text.Json.Nodes;
using Microsoft.Playwright;
using RagAgent.IntegrationTests.Streamlit;
using RagAgent.IntegrationTests.Support;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>What visitors see in their browsers when another release takes over in the middle of their sessions.</summary>
public sealed class SessionMoveBrowserTests(EngineFixture engineFixture) : StreamlitTestBase(engineFixture)
{
    /// <summary>Counts the page's connections, and notes when they come and go and when its title changes.</summary>
    private const string Notes =
        """
        window.connections = 0;
        window.notes = [];
        const note = what => notes.push(`${(Date.now() / 1000 % 1000).toFixed(2)} ${what}`);
        window.WebSocket = class extends WebSocket {
          constructor(...of) {
            super(...of);
            this.addEventListener('open', () => { connections++; note('connected'); });
            this.addEventListener('close', event => note(`closed with ${event.code}`));
          }
        };
        let title;
        new MutationObserver(() => {
          const now = document.querySelector('h1')?.textContent;
          if (now && now !== title) { note(title = now); }
        }).observe(document, { subtree: true, childList: true, characterData: true });
        """;

    private readonly int _httpsPort = FreePort();

    public static TheoryData<string, bool> VersionsAndTls =>
        [.. StreamlitInstallation.Versions.SelectMany(version => new[] { (version.Data, false), (version.Data, true) })];

    [Theory, MemberData(nameof(VersionsAndTls))]
    public async Task Pages_stay_whole_through_an_update_a_rollback_and_a_stop_first_update(string version, bool tls)
    {
        ConfigureRelease("start-first", tls);
        await PushReleaseAsync(version, 1);
        var agent = StartAgent();
        await WaitUntilServingAsync();
        await using var chromium = await ChromiumBrowser.StartAsync(Port, _httpsPort);
        var window = await chromium.OpenWindowAsync();
        await window.AddInitScriptAsync(Notes);
        var forgotten = await OpenAsync(window, tls);
        var protocol = await forgotten.EvaluateAsync<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol");
        Assert.Equal(tls ? "h2" : "http/1.1", protocol);
        await PushReleaseAsync(version, 2);
        await WaitUntilUnusedAsync();
        var used = await OpenAsync(window, tls);

        await UseAsync(used);
        var update = UpdateAsync();
        await ShowsReleaseAsync(forgotten, 2);
        await StopUsingAsync(used);
        await ClickCountAsync(used);
        await ShowsReleaseAsync(used, 1);
        await WorksAsync(used, 1);
        await Screenshot.TakeAsync(used, $"move-{version}-{tls}-draining");
        await ConnectedAsync(used, 2);
        await ShowsReleaseAsync(used, 1);
        await Screenshot.TakeAsync(used, $"move-{version}-{tls}-drained");
        await ClickCountAsync(used);
        await ShowsReleaseAsync(used, 2);
        await WorksAsync(used, 2);
        (await update).AssertSucceeded();
        await Screenshot.TakeAsync(forgotten, $"move-{version}-{tls}-forgotten");

        await WaitUntilUnusedAsync();
        (await RequestAsync("rollback")).AssertSucceeded();
        await ShowsReleaseAsync(forgotten, 1);
        await ShowsReleaseAsync(used, 1);
        await WorksAsync(used, 1);

        Config["update"]!["swap"] = "stop-first";
        WriteConfig();
        await agent.SignalAsync("HUP");
        await PushReleaseAsync(version, 3);
        await WaitUntilUnusedAsync();
        await UseAsync(used);
        update = UpdateAsync();
        await ShowsReleaseAsync(forgotten, 3);
        await StopUsingAsync(used);
        (await update).AssertSucceeded();
        await ClickCountAsync(used);
        await ShowsReleaseAsync(used, 3);
        await WorksAsync(used, 3);

        foreach (var (name, page) in new[] { ("forgotten", forgotten), ("used", used) })
        {
            Assert.True(await page.EvaluateAsync<bool>("window.isStillHere"));
            Assert.Equal("Ada", await page.GetByLabel("Name").InputValueAsync());
            await Assertions.Expect(page.Locator("[data-testid=stException]")).ToHaveCountAsync(0);
            var notes = string.Join("; ", await page.EvaluateAsync<string[]>("window.notes"));
            TestContext.Current.SendDiagnosticMessage($"{version}, {protocol}, {name}: {notes}");
        }
    }

    private void ConfigureRelease(string swap, bool tls)
    {
        ConfigureStreamlit();
        Config["update"] = new JsonObject
        {
            ["every"] = null,
            ["swap"] = swap,
            ["watch"] = "1s",
            ["drain"] = "10s",
            ["idleAfter"] = "12s",
        };
        if (tls)
        {
            using var authority = new TestCertificateAuthority();
            authority.Issue(TimeProvider.System.GetUtcNow().AddDays(-1), TimeSpan.FromDays(30));
            var (certificate, key) = (Path.Combine(Folder, "fullchain.pem"), Path.Combine(Folder, "privkey.pem"));
            File.Copy(authority.Certificate, certificate);
            File.Copy(authority.Key, key);
            Config["listen"]!["https"] = _httpsPort;
            Config["tls"] = new JsonObject { ["certificate"] = certificate, ["key"] = key };
        }
    }

    private Task PushReleaseAsync(string version, int release) => PushStreamlitAsync(version, StreamlitReleases.Write(Folder, release));

    private async Task WaitUntilUnusedAsync() =>
        await WaitForAsync(s => s.App is { State: "serving", Sessions: > 0, SessionsInUse: 0 }, "nobody uses the open sessions");

    private async Task<IPage> OpenAsync(IBrowserContext window, bool tls)
    {
        var page = await window.NewPageAsync();
        page.SetDefaultTimeout(90_000);
        await page.GotoAsync(tls ? $"https://127.0.0.1:{_httpsPort}/" : $"http://127.0.0.1:{Port}/");
        await ShowsReleaseAsync(page, 1);
        // A page that is still busy with its first run may drop what is typed.
        await WaitUntilAsync(
            async () =>
            {
                await page.GetByLabel("Name").FillAsync("");
                await page.GetByLabel("Name").FillAsync("Ada");
                await page.GetByLabel("Name").PressAsync("Enter");
                await Task.WhenAny(
                    page.GetByText("Hello, Ada.", new() { Exact = true }).WaitForAsync(),
                    Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, TestCancellation));
                return await page.GetByText("Hello, Ada.", new() { Exact = true }).IsVisibleAsync();
            },
            "the app greets the typed name");
        // A page reload would lose this variable.
        await page.EvaluateAsync("window.isStillHere = true");
        return page;
    }

    /// <summary>Clicks all the time, as a person does.</summary>
    private static async Task UseAsync(IPage page) => await page.EvaluateAsync(
        """
        () => { window.use = setInterval(() =>
          [...document.querySelectorAll('button')].find(button => button.textContent === 'Count' && !button.disabled)?.click(), 300); }
        """);

    private static async Task StopUsingAsync(IPage page) => await page.EvaluateAsync("clearInterval(window.use)");

    /// <summary>Clicks, and waits until the run is over: Streamlit's page loses a file that is chosen in the middle of one.</summary>
    private static async Task ClickCountAsync(IPage page)
    {
        var clicks = page.GetByText("Clicks: ");
        var before = await clicks.TextContentAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Count" }).ClickAsync();
        await Assertions.Expect(clicks).Not.ToHaveTextAsync(before!, new() { Timeout = 90_000 });
        await IsQuietAsync(page);
    }

    private static Task IsQuietAsync(IPage page) =>
        page.Locator("[data-testid=stApp][data-test-script-state=notRunning]").WaitForAsync();

    /// <summary>The page shows its picture, and a person can upload and download.</summary>
    private static async Task WorksAsync(IPage page, int release)
    {
        await ShowsAsync(page, $"Line 39 of release {release}");
        await IsQuietAsync(page);
        var content = new byte[5000 + release];
        await page.Locator("input[type=file]").SetInputFilesAsync(
            new FilePayload { Name = $"{release}.bin", MimeType = "application/octet-stream", Buffer = content });
        await Assertions.Expect(page.GetByText($"{content.Length} bytes, ")).ToBeVisibleAsync(new() { Timeout = 90_000 });
        var download = await page.RunAndWaitForDownloadAsync(
            () => page.GetByRole(AriaRole.Button, new() { Name = "Download", Exact = true }).First.ClickAsync());
        Assert.Equal($"Downloaded from release {release}", await File.ReadAllTextAsync(await download.PathAsync(), TestCancellation));
        Assert.Equal(200, await page.Locator("[data-testid=stImage] img").EvaluateAsync<int>(
            "async image => (await fetch(image.src, { cache: 'no-store' })).status"));
        await ShowsReleaseAsync(page, release);
    }

    private static Task ShowsReleaseAsync(IPage page, int release) =>
        Assertions.Expect(page.Locator("h1").First).ToHaveTextAsync($"Release {release}", new() { Timeout = 90_000 });

    private static Task ShowsAsync(IPage page, string text) =>
        Assertions.Expect(page.GetByText(text, new() { Exact = true })).ToBeVisibleAsync(new() { Timeout = 90_000 });

    /// <summary>Waits until the page has connected so many times.</summary>
    private static async Task ConnectedAsync(IPage page, int times) =>
        await page.WaitForFunctionAsync($"window.connections >= {times}", null, new() { Timeout = 90_000 });
}
