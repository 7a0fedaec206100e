using System.Globalization;
using System.Text;
using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Errors;

/// <summary>One error in the configuration, in words for operators.</summary>
/// <param name="File">The file as the operator named it.</param>
/// <param name="Line">From 1; null: the whole file.</param>
/// <param name="Column">From 1, in characters; null: the whole file.</param>
/// <param name="Key">The dotted key, such as <c>container.volumes[0].host</c>; null: no key in particular.</param>
/// <param name="Message">What is wrong and what to write instead. Never a value from <c>environment</c> or <c>secrets</c>.</param>
internal sealed record ConfigError(string File, int? Line, int? Column, string? Key, string Message)
{
    /// <summary>The format of compilers, which editors understand: <c>file:line:column: key: message</c>.</summary>
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

/// <summary>Collects the errors of one file.</summary>
internal sealed class ConfigErrors(string file)
{
    private readonly List<ConfigError> _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(TextPosition position, string? key, string message) =>
        _errors.Add(new(file, position.Line, position.Column, key, message));

    public void AddForFile(string message) => _errors.Add(new(file, null, null, null, message));

    /// <summary>In the order of the file.</summary>
    public IReadOnlyList<ConfigError> Sorted() =>
        [.. _errors.OrderBy(error => error.Line ?? 0).ThenBy(error => error.Column ?? 0)];
}
