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
            Title = section.Read("title", defaults.Title, OptionalString("a string like \"RAGstream\" or null", ValidateTitle)),
            Accent = section.Read("accent", defaults.Accent, OptionalString("a colour like \"#d97706\" or null", ValidateColor)),
            Logo = section.Read("logo", defaults.Logo, OptionalString("a path like \"/etc/ragagent/logo.svg\" or null", ValidateImagePath)),
            Details = section.Read("details", defaults.Details, ValueParsers.OneOf(("brief", PageDetails.Brief), ("full", PageDetails.Full))),
        };
    }

    private static ValueParser<string?> OptionalString(string expected, Func<string, RuleViolation?> rule) =>
        ValueParsers.OrNull(ValueParsers.String(expected, rule));

    private static RuleViolation? ValidateTitle(string title) =>
        title.Length <= MaxTitleLength && !string.IsNullOrWhiteSpace(title) && !title.Any(char.IsControl)
            ? null
            : new($"be a single line of 1 to {MaxTitleLength} characters");

    /// <remarks>Strict because the value becomes part of the page's style sheet.</remarks>
    private static RuleViolation? ValidateColor(string color) =>
        color is ['#', _, _, _] or ['#', _, _, _, _, _, _] && !color.AsSpan(1).ContainsAnyExcept(HexDigits)
            ? null
            : new("be '#' and three or six hexadecimal digits, like \"#d97706\"");

    private static RuleViolation? ValidateImagePath(string path)
    {
        if (PathRules.ValidateAbsolute(path) is { } violation)
        {
            return violation;
        }

        return ImageExtensions.Any(extension => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase))
            ? null
            : new($"end in {string.Join(", ", ImageExtensions[..^1])} or {ImageExtensions[^1]}");
    }
}
