using Microsoft.Playwright;

namespace RagAgent.IntegrationTests.Browser;

/// <summary>Saves what a browser shows, if RAGAGENT_SCREENSHOTS names a folder.</summary>
internal static class Screenshot
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("RAGAGENT_SCREENSHOTS");

    public static Task TakeAsync(IPage page, string name) =>
        Folder is null
            ? Task.CompletedTask
            : page.ScreenshotAsync(new() { Path = Path.Combine(Folder, $"{name}.png"), FullPage = true });
}
