using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using RagAgent.Configuration;
using RagAgent.Reporting;

namespace RagAgent.Proxy.StatusPage;

/// <summary>Renders a <see cref="StatusPageModel"/> as one self-contained HTML document that also works without its script.</summary>
/// <remarks>Encodes everything from the model. The Content-Security-Policy allows only this style and script, by their hashes.</remarks>
internal sealed class StatusPageRenderer
{
    private const int StepCount = 6;

    private readonly string _title;
    private readonly string _style;
    private readonly string _script;
    private readonly string _logo;
    private readonly string _icon;
    private readonly string _url;

    /// <param name="config">The page's title and color.</param>
    /// <param name="appName">The title if the configuration sets none.</param>
    /// <param name="logo">A data URL; null: no logo.</param>
    /// <param name="url">The app's public URL; null: none.</param>
    public StatusPageRenderer(PageConfig config, string appName, string? logo, string? url = null)
    {
        _title = Encode(config.Title ?? appName);
        _style = ReadResource("page.css") + (config.Accent is { } accent ? $":root {{ --accent: {accent}; }}\n" : "");
        _script = ReadResource("page.js").Replace("{EVENTS_PATH}", ReservedUrlPaths.Events, StringComparison.Ordinal);
        _logo = logo is null ? "" : $"<img src=\"{Encode(logo)}\" alt=\"\">\n";
        _url = url is null ? "" : $"<p>This app's address: <a href=\"{Encode(url)}\">{Encode(url)}</a></p>";
        _icon = Encode(logo ?? "data:,");
        ContentSecurityPolicy =
            $"default-src 'none'; style-src '{CspHash(_style)}'; script-src '{CspHash(_script)}'; " +
            "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'";
    }

    public string ContentSecurityPolicy { get; }

    public string Render(StatusPageModel model)
    {
        var steps = new StringBuilder();
        for (var i = 0; i < StepCount; i++)
        {
            var step = i < model.Steps.Count ? model.Steps[i] : new StatusPageStep("", "waiting", "");
            var current = step.State == "now" ? " aria-current=\"step\"" : "";
            steps.Append($"<li data-state=\"{Encode(step.State)}\"{current}><i aria-hidden=\"true\"></i>");
            steps.Append($"<span>{Encode(step.Name)}</span><span>{Encode(step.Note)}</span></li>\n");
        }
        var pull = model.Pull ?? new StatusPagePull(0, "", "");
        return $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="robots" content="noindex">
            <noscript><meta http-equiv="refresh" content="{model.RetryAfterSeconds}"></noscript>
            <title>{_title}</title>
            <link rel="icon" href="{_icon}">
            <style>{_style}</style>
            </head>
            <body>
            <main>
            {_logo}<h1>{_title}</h1>
            <p id="sentence" role="status" aria-live="polite">{Encode(model.Sentence)}</p>
            <div id="pull"{HiddenAttribute(model.Pull is null)}>
            <progress id="bar" max="100" value="{pull.Percent}" aria-label="Download and unpacking">{pull.Percent} %</progress>
            <p><span id="amount">{Encode(pull.Amount)}</span><span id="pace">{Encode(pull.Pace)}</span></p>
            </div>
            <ol id="steps" aria-label="Steps of the start"{HiddenAttribute(model.Steps.Count == 0)}>
            {steps}</ol>
            <section id="details"{HiddenAttribute(model.Details is null)} aria-labelledby="operators">
            <h2 id="operators">For operators</h2>
            <p id="more">{Encode(model.Details ?? "")}</p>
            </section>
            <footer>
            <p id="ending" role="status"{HiddenAttribute(model.Ending is null)}>{Encode(model.Ending ?? "")}</p>
            <p id="before"{HiddenAttribute(model.Before is null)}>{Encode(model.Before ?? "")}</p>
            <p id="turns"{HiddenAttribute(model.Status == "leaving")}>This page opens the app automatically once it is ready.</p>
            {_url}
            </footer>
            </main>
            <script>{_script}</script>
            </body>
            </html>

            """;
    }

    private static string HiddenAttribute(bool isHidden) => isHidden ? " hidden" : "";

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);

    private static string CspHash(string text) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}";

    private static string ReadResource(string name)
    {
        using var stream = typeof(StatusPageRenderer).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The resource {name} is missing from the assembly.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
