using System.Buffers;

namespace RagAgent.Configuration;

/// <summary>The <c>page</c> section.</summary>
internal static class PageBinder
{
    private const int LongestTitle = 80;
    private static readonly string[] Pictures = [".svg", ".png", ".jpg", ".jpeg", ".webp"];
    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static PageConfig Bind(Section section)
    {
        var defaults = new PageConfig();
        return new PageConfig
        {
            Title = section.Read("title", defaults.Title, Kinds.OrNull(Kinds.Text("a text like \"RAGstream\" or null", Title))),
            Accent = section.Read("accent", defaults.Accent, Kinds.OrNull(Kinds.Text("a colour like \"#d97706\" or null", Colour))),
            Logo = section.Read("logo", defaults.Logo, Kinds.OrNull(Kinds.Text("a path like \"/etc/ragagent/logo.svg\" or null", Picture))),
            Details = section.Read("details", defaults.Details, Kinds.Choice(("brief", PageDetails.Brief), ("full", PageDetails.Full))),
        };
    }

    private static Refusal? Title(string title) => title.Length <= LongestTitle && !string.IsNullOrWhiteSpace(title) && !title.Any(char.IsControl)
        ? null
        : new($"be a text of 1 to {LongestTitle} characters on one line");

    /// <remarks>Nothing but digits: it becomes a part of the page's style sheet.</remarks>
    private static Refusal? Colour(string colour) => colour is ['#', _, _, _] or ['#', _, _, _, _, _, _] && !colour.AsSpan(1).ContainsAnyExcept(HexDigits)
        ? null
        : new("be '#' and three or six hexadecimal digits, like \"#d97706\"");

    private static Refusal? Picture(string path) => PathRules.Absolute(path) ??
        (Pictures.Any(ending => path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) ? null : new($"end in {string.Join(", ", Pictures[..^1])} or {Pictures[^1]}"));
}
