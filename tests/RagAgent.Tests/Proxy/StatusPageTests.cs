using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using RagAgent.Configuration;
using RagAgent.Proxy.StatusPage;
using RagAgent.Reporting;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The status page as an HTML document.</summary>
public partial class StatusPageTests
{
    private const string Hostile = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onload=\"x' & {{}} <!--";

    private static readonly StatusPageModel Starting = new("starting", "The newest version is being downloaded.", null,
        [
            new("Machine", "done", "after 5s"), new("Credentials and secrets", "done", "done"), new("Newest version", "done", "done"),
            new("Download", "now", "in progress"), new("Start", "waiting", "waiting"), new("Health check", "failed", "failed"),
        ],
        new StatusPagePull(34, "612 MB of 1.4 GB", "38 MB/s, about 30 s left"), "The last start took 1m13s.", null);

    [Fact]
    public void The_page_shows_title_sentence_progress_and_steps()
    {
        var html = new StatusPageRenderer(new PageConfig(), "ragstream", logo: null).Render(Starting);

        Assert.Contains("<title>ragstream</title>", html, StringComparison.Ordinal);
        Assert.Contains("<h1>ragstream</h1>", html, StringComparison.Ordinal);
        Assert.Contains(
            "<p id=\"sentence\" role=\"status\" aria-live=\"polite\">The newest version is being downloaded.</p>",
            html,
            StringComparison.Ordinal);
        Assert.Contains("<progress id=\"bar\" max=\"100\" value=\"34\"", html, StringComparison.Ordinal);
        Assert.Contains("612 MB of 1.4 GB", html, StringComparison.Ordinal);
        Assert.Equal(["done", "done", "done", "now", "waiting", "failed"], Rows().Matches(html).Select(row => row.Groups[1].Value));
        Assert.Single(Regex.Matches(html, "aria-current=\"step\""));
        Assert.Contains("<section id=\"details\" hidden", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_parts_are_hidden_but_present_for_the_script()
    {
        var html = new StatusPageRenderer(new PageConfig(), "ragstream", logo: null).Render(
            new StatusPageModel("stopped", "The app is turned off for now.", "Start it.", [], null, null, null));

        Assert.Contains("<div id=\"pull\" hidden>", html, StringComparison.Ordinal);
        Assert.Contains("<ol id=\"steps\" aria-label=\"Steps of the start\" hidden>", html, StringComparison.Ordinal);
        Assert.Equal(6, Rows().Count(html));
        Assert.Contains("<section id=\"details\" aria-labelledby", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_links_to_the_apps_URL_if_there_is_one()
    {
        Assert.Contains("<p>This app's address: <a href=\"https://rag.example.com/\">https://rag.example.com/</a></p>",
            new StatusPageRenderer(new PageConfig(), "ragstream", logo: null, url: "https://rag.example.com/").Render(Starting),
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            "This app's address",
            new StatusPageRenderer(new PageConfig(), "ragstream", logo: null).Render(Starting),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_text_stays_text()
    {
        var title = Hostile[..80];
        var hostile = new StatusPageModel(
            Hostile, Hostile, Hostile, [new(Hostile, Hostile, Hostile)], new StatusPagePull(1, Hostile, Hostile), Hostile, Hostile);
        var page = new StatusPageRenderer(new PageConfig { Title = title }, Hostile, "data:image/png;base64,\"><script>");

        var html = page.Render(hostile);

        var harmless = new StatusPageModel("x", "x", "x", [new("x", "x", "x")], new StatusPagePull(1, "x", "x"), "x", "x");
        Assert.Equal(Tags(new StatusPageRenderer(new PageConfig(), "x", "data:,").Render(harmless)), Tags(html));
        Assert.DoesNotContain("alert(1)<", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_policy_allows_only_the_pages_own_style_and_script()
    {
        var page = new StatusPageRenderer(new PageConfig { Accent = "#d97706" }, "ragstream", logo: null);
        var html = page.Render(Starting);

        Assert.Equal(
            $"default-src 'none'; style-src 'sha256-{Hash(ElementText(html, "style"))}'; " +
            $"script-src 'sha256-{Hash(ElementText(html, "script"))}'; " +
            "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'",
            page.ContentSecurityPolicy);
        Assert.Contains("--accent: #d97706;", ElementText(html, "style"), StringComparison.Ordinal);
        Assert.Empty(Regex.Matches(html, @"\s(style|on\w+)="));
    }

    [Fact]
    public void The_page_needs_no_other_host_and_no_second_request() =>
        Assert.Empty(
            Regex.Matches(
                new StatusPageRenderer(new PageConfig(), "ragstream", "data:image/png;base64,AAAA").Render(Starting),
                @"https?://|url\(|@import|(src|href)=""(?!data:)"));

    [Fact]
    public void Without_JavaScript_the_page_reloads_automatically() =>
        Assert.Contains(
            "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>",
            new StatusPageRenderer(new PageConfig(), "ragstream", logo: null).Render(Starting),
            StringComparison.Ordinal);

    [Fact]
    public void Colors_have_enough_contrast_in_light_and_dark_mode()
    {
        var style = ElementText(new StatusPageRenderer(new PageConfig(), "ragstream", logo: null).Render(Starting), "style");
        var themes = Themes().Matches(style).Take(2).Select(ColorsOf).ToArray();

        Assert.Equal(2, themes.Length);
        foreach (var theme in themes)
        {
            var pairs = new[] { ("text", "card"), ("soft", "card"), ("bad", "card"), ("text", "ground"), ("soft", "ground") };
            foreach (var (text, ground) in pairs)
            {
                Assert.True(Contrast(theme[text], theme[ground]) >= 4.5, $"{text} on {ground}: {Contrast(theme[text], theme[ground]):0.0}");
            }
        }
    }

    private static Dictionary<string, string> ColorsOf(Match theme) =>
        Colors().Matches(theme.Value).ToDictionary(color => color.Groups[1].Value, color => color.Groups[2].Value);

    private static string[] Tags(string html) =>
        [.. Body().Matches(html).SelectMany(part => Regex.Matches(part.Value, @"<[!/a-zA-Z][^\s>]*")).Select(tag => tag.Value)];

    private static string ElementText(string html, string element) =>
        Regex.Match(html, $"<{element}>(.*?)</{element}>", RegexOptions.Singleline).Groups[1].Value;

    private static string Hash(string text) => Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The contrast ratio of the Web Content Accessibility Guidelines.</summary>
    private static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(string color)
    {
        double Part(int index)
        {
            var value = Convert.ToInt32(color.Substring(index, 2), 16) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }

        return (0.2126 * Part(1)) + (0.7152 * Part(3)) + (0.0722 * Part(5));
    }

    [GeneratedRegex("<li data-state=\"([^\"]*)\"")]
    private static partial Regex Rows();

    [GeneratedRegex(@":root \{[^}]*\}")]
    private static partial Regex Themes();

    [GeneratedRegex("--([a-z]+): (#[0-9a-f]{6});")]
    private static partial Regex Colors();

    [GeneratedRegex("<html.*(?=<style>)|<body>.*(?=<script>)", RegexOptions.Singleline)]
    private static partial Regex Body();
}
