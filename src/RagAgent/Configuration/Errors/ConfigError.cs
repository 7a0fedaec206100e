using System.Globalization;
using System.Text;

namespace RagAgent.Configuration.Errors;

/// <summary>One mistake in the configuration, in words for the operator.</summary>
/// <param name="File">The file as the operator named it.</param>
/// <param name="Line">From 1; null when the file as a whole is meant.</param>
/// <param name="Column">From 1, in characters; null when the file as a whole is meant.</param>
/// <param name="Key">The dotted key, such as <c>container.volumes[0].host</c>; null when none is meant.</param>
/// <param name="Message">What is wrong and what to write instead. Holds no value of <c>environment</c> and nothing of <c>secrets</c>.</param>
public sealed record ConfigError(string File, int? Line, int? Column, string? Key, string Message)
{
    /// <summary>As compilers write it, so that editors can jump there: <c>file:line:column: key: message</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(File);
        if (Line is { } line)
        {
            text.Append(CultureInfo.InvariantCulture, $":{line}");
        }

        if (Column is { } column)
        {
            text.Append(CultureInfo.InvariantCulture, $":{column}");
        }

        if (Key is not null)
        {
            text.Append(": ").Append(Key);
        }

        return text.Append(": ").Append(Message).ToString();
    }
}
