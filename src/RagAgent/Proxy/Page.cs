using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using RagAgent.Configuration;

namespace RagAgent.Proxy;

/// <summary>The page that shows a <see cref="Notice"/>: one document that needs nothing else, and lives with and without its script.</summary>
/// <remarks>Whatever a notice holds is text in it. Style and script are allowed by their hashes, and nothing else is.</remarks>
internal sealed class Page
{
    private const int StepCount = 6;

    private readonly string _title;
    private readonly string _style;
    private readonly string _script;
    private readonly string _logo;
    private readonly string _icon;
    private readonly string _url;

    /// <param name="config">How it looks.</param>
    /// <param name="appName">What it is called when the configuration gives it no title.</param>
    /// <param name="logo">As the address of a picture; null: none.</param>
    /// <param name="url">Where visitors find the app by its name; null: it has none.</param>
    public Page(PageConfig config, string appName, string? logo, string? url = null)
    {
        _title = Text(config.Title ?? appName);
        _style = Read("page.css") + (config.Accent is { } accent ? $":root {{ --accent: {accent}; }}\n" : "");
        _script = Read("page.js");
        _logo = logo is null ? "" : $"<img src=\"{Text(logo)}\" alt=\"\">\n";
        _url = url is null ? "" : $"<p>This app's address: <a href=\"{Text(url)}\">{Text(url)}</a></p>";
        _icon = Text(logo ?? "data:,");
        Policy = $"default-src 'none'; style-src '{Hash(_style)}'; script-src '{Hash(_script)}'; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'";
    }

    /// <summary>Its Content-Security-Policy.</summary>
    public string Policy { get; }

    public string Render(Notice notice)
    {
        var steps = new StringBuilder();
        for (var i = 0; i < StepCount; i++)
        {
            var step = i < notice.Steps.Count ? notice.Steps[i] : new StepNotice("", "waiting", "");
            steps.Append($"<li data-state=\"{Text(step.State)}\"{(step.State == "now" ? " aria-current=\"step\"" : "")}><i aria-hidden=\"true\"></i><span>{Text(step.Name)}</span><span>{Text(step.Note)}</span></li>\n");
        }
        var pull = notice.Pull ?? new PullNotice(0, "", "");
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <noscript><meta http-equiv="refresh" content="{notice.ComeBackAfter}"></noscript>
            <title>{_title}</title>
            <link rel="icon" href="{_icon}">
            <style>{_style}</style>
            </head>
            <body>
            <main>
            {_logo}<h1>{_title}</h1>
            <p id="sentence" role="status" aria-live="polite">{Text(notice.Sentence)}</p>
            <div id="pull"{Hidden(notice.Pull is null)}>
            <progress id="bar" max="100" value="{pull.Percent}" aria-label="Download and unpacking">{pull.Percent} %</progress>
            <p><span id="amount">{Text(pull.Amount)}</span><span id="pace">{Text(pull.Pace)}</span></p>
            </div>
            <ol id="steps" aria-label="Steps of the start"{Hidden(notice.Steps.Count == 0)}>
            {steps}</ol>
            <section id="details"{Hidden(notice.Details is null)} aria-labelledby="operators">
            <h2 id="operators">For operators</h2>
            <p id="more">{Text(notice.Details ?? "")}</p>
            </section>
            <footer><p id="ending" role="status"{Hidden(notice.Ending is null)}>{Text(notice.Ending ?? "")}</p><p id="before"{Hidden(notice.Before is null)}>{Text(notice.Before ?? "")}</p><p id="turns"{Hidden(notice.Status == "leaving")}>This page turns into the app by itself.</p>{_url}</footer>
            </main>
            <script>{_script}</script>
            </body>
            </html>

            """;
    }

    private static string Hidden(bool isHidden) => isHidden ? " hidden" : "";

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);

    private static string Hash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";

    private static string Read(string name)
    {
        using var stream = typeof(Page).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not built in.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
