using System.Buffers;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The <c>page</c> section.</summary>
internal static class PageBinder
{
    private const int MaxTitleLength = 80;
    private static readonly string[] ImageExtensions = [".svg", ".png", ".jpg", ".jpeg", ".webp"];
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static PageConfig Bind(ConfigSection section)
    {
        var defaults = new PageConfig();
        return new PageConfig
        {
            Title = section.Read("title", defaults.Title, ValueParsers.OrNull(ValueParsers.String("a text like \"RAGstream\" or null", ValidateTitle))),
            Accent = section.Read("accent", defaults.Accent, ValueParsers.OrNull(ValueParsers.String("a colour like \"#d97706\" or null", ValidateColor))),
            Logo = section.Read("logo", defaults.Logo, ValueParsers.OrNull(ValueParsers.String("a path like \"/etc/ragagent/logo.svg\" or null", ValidateImagePath))),
            Details = section.Read("details", defaults.Details, ValueParsers.OneOf(("brief", PageDetails.Brief), ("full", PageDetails.Full))),
        };
    }

    private static RuleViolation? ValidateTitle(string title) => title.Length <= MaxTitleLength && !string.IsNullOrWhiteSpace(title) && !title.Any(char.IsControl)
        ? null
        : new($"be a text of 1 to {MaxTitleLength} characters on one line");

    /// <remarks>Nothing but digits: it becomes a part of the page's style sheet.</remarks>
    private static RuleViolation? ValidateColor(string colour) => colour is ['#', _, _, _] or ['#', _, _, _, _, _, _] && !colour.AsSpan(1).ContainsAnyExcept(HexDigits)
        ? null
        : new("be '#' and three or six hexadecimal digits, like \"#d97706\"");

    private static RuleViolation? ValidateImagePath(string path) => PathRules.ValidateAbsolute(path) ??
        (ImageExtensions.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) ? null : new($"end in {string.Join(", ", ImageExtensions[..^1])} or {ImageExtensions[^1]}"));
}
