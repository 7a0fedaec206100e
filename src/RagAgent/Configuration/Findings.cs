namespace RagAgent.Configuration;

/// <summary>Collects what is wrong with one file.</summary>
internal sealed class Findings(string file)
{
    private readonly List<ConfigProblem> _problems = [];

    public void Add(TextPosition at, string? key, string message) => _problems.Add(new(file, at.Line, at.Column, key, message));

    public void AddForFile(string message) => _problems.Add(new(file, null, null, null, message));

    public bool Any => _problems.Count > 0;

    /// <summary>In the order in which an operator walks through the file.</summary>
    public IReadOnlyList<ConfigProblem> InOrder() =>
        [.. _problems.OrderBy(problem => problem.Line ?? 0).ThenBy(problem => problem.Column ?? 0)];
}
