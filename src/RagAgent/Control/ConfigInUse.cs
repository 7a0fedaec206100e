using RagAgent.Common;
using RagAgent.Reporting;

namespace RagAgent.Control;

/// <summary>Which configuration is in use, and why the file, as it was last read, is another one. One for the whole life of the process.</summary>
internal sealed class ConfigInUse : IConfigStatus
{
    private volatile Problem? _problem;

    /// <summary>Of the file's text; null: nobody runs by it.</summary>
    public string? Fingerprint { get; set; }

    /// <summary>Why the file is not in use; null: it is.</summary>
    public Problem? Problem => _problem;

    IEnumerable<ReportedProblem> IProblemSource.Problems => _problem is { } problem ? [new(problem)] : [];

    /// <summary>Called after <see cref="Problem"/> has changed. It must not block.</summary>
    public event Action? Changed;

    public void Report(Problem? problem)
    {
        _problem = problem;
        Changed?.Invoke();
    }
}
