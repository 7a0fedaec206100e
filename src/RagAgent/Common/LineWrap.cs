using System.Text;

namespace RagAgent.Common;

/// <summary>Breaks lines between words where a terminal would break them anywhere.</summary>
internal static class LineWrap
{
    private const int MinWidth = 20;
    private const int NarrowIndent = 2;

    /// <summary>How many characters fit on a line of standard output; null: it is no terminal, and lines stay whole for who reads them there.</summary>
    public static int? TerminalWidth => Console.IsOutputRedirected || Console.WindowWidth is not (> 0 and var width) ? null : width;

    /// <param name="text">Lines, each with its end.</param>
    /// <param name="width">In characters; null leaves the text as it is.</param>
    /// <param name="indent">Of what continues a line, when enough of the width is left beside it. A word that is longer than the line, as a digest may be, stays whole.</param>
    public static string Wrap(string text, int? width, int indent)
    {
        if (width is not ({ } limit and >= MinWidth) || text.Split('\n').All(line => line.Length <= limit))
        {
            return text;
        }
        var margin = new string(' ', limit - indent < MinWidth ? NarrowIndent : indent);
        return string.Join('\n', text.Split('\n').Select(line => Wrap(line, limit, margin)));
    }

    private static string Wrap(string line, int width, string margin)
    {
        var wrapped = new StringBuilder();
        while (line.Length > width && FindBreak(line, width, margin.Length) is { } at)
        {
            wrapped.Append(line.AsSpan(0, at).TrimEnd()).Append('\n');
            line = margin + line[at..].TrimStart();
        }
        return wrapped.Append(line).ToString();
    }

    /// <summary>Where the next line begins: at the last word that does not fit any more, or behind one that is itself too long.</summary>
    private static int? FindBreak(string line, int width, int from)
    {
        var before = line.LastIndexOf(' ', width);
        var at = before >= from && !string.IsNullOrWhiteSpace(line[..before]) ? before : line.IndexOf(' ', width);
        return at < 0 || string.IsNullOrWhiteSpace(line[at..]) ? null : at + 1;
    }
}
