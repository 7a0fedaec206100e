using RagAgent.Common;
using RagAgent.Reporting;

namespace RagAgent.Control;

/// <summary>Which configuration is in use, and why the file, as last read, is not. One instance for the life of the process.</summary>
internal sealed class ConfigInUse : IConfigStatus
{
    private volatile Problem? _problem;

    /// <summary>Of the file's text; null: no configuration is in use.</summary>
    public string? Fingerprint { get; set; }

    /// <summary>Why the file is not in use; null: it is.</summary>
    public Problem? Problem => _problem;

    IEnumerable<ReportedProblem> IProblemSource.Problems => _problem is { } problem ? [new(problem)] : [];

    /// <summary>Raised after <see cref="Problem"/> has changed. Handlers must not block.</summary>
    public event Action? Changed;

    public void Report(Problem? problem)
    {
        _problem = problem;
        Changed?.Invoke();
    }
}
