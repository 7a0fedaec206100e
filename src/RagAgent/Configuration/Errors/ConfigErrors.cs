using RagAgent.Configuration.Json;

namespace RagAgent.Configuration.Errors;

/// <summary>Collects what is wrong with one file.</summary>
internal sealed class ConfigErrors(string file)
{
    private readonly List<ConfigError> _errors = [];

    public void Add(TextPosition position, string? key, string message) => _errors.Add(new(file, position.Line, position.Column, key, message));

    public void AddForFile(string message) => _errors.Add(new(file, null, null, null, message));

    public bool Any => _errors.Count > 0;

    /// <summary>In the order in which an operator walks through the file.</summary>
    public IReadOnlyList<ConfigError> Sorted() =>
        [.. _errors.OrderBy(problem => problem.Line ?? 0).ThenBy(problem => problem.Column ?? 0)];
}
