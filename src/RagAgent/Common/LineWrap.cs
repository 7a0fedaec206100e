using System.Text;

namespace RagAgent.Common;

/// <summary>Wraps lines between words, for terminals.</summary>
internal static class LineWrap
{
    private const int MinWidth = 20;
    private const int NarrowIndent = 2;

    /// <summary>In characters; null: standard output is not a terminal, so lines stay whole.</summary>
    public static int? TerminalWidth => Console.IsOutputRedirected || Console.WindowWidth is not (> 0 and var width) ? null : width;

    /// <summary>Words that are longer than a line, such as digests, stay whole.</summary>
    /// <param name="text">Lines, each with its line end.</param>
    /// <param name="width">In characters; null: no wrapping.</param>
    /// <param name="indent">Indentation of continued lines, in characters. Smaller if the width is too narrow for it.</param>
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
        while (line.Length > width && FindBreak(line, width, margin.Length) is { } index)
        {
            wrapped.Append(line.AsSpan(0, index).TrimEnd()).Append('\n');
            line = margin + line[index..].TrimStart();
        }
        return wrapped.Append(line).ToString();
    }

    /// <summary>Where the next line begins: at the first word that does not fit, or after a word that is longer than the line.</summary>
    private static int? FindBreak(string line, int width, int from)
    {
        var lastSpace = line.LastIndexOf(' ', width);
        var fits = lastSpace >= from && !string.IsNullOrWhiteSpace(line[..lastSpace]);
        var space = fits ? lastSpace : line.IndexOf(' ', width);
        return space < 0 || string.IsNullOrWhiteSpace(line[space..]) ? null : space + 1;
    }
}
