namespace RagAgent.Common;

/// <summary>One entry of the <see cref="ProblemCatalog"/>.</summary>
/// <param name="Code">
/// A short stable name, such as <c>ssm-parameter-missing</c>. A contract: scripts, tests and the journal's catalog use it.
/// </param>
internal sealed record ProblemKind(string Code)
{
    /// <summary>The subject of its entry in docs/messages.md.</summary>
    public string Summary { get; init; } = "";

    public ProblemSeverity Severity { get; init; } = ProblemSeverity.Error;

    /// <summary>What must work again, or must change, for the problem to go away.</summary>
    public Dependency DependsOn { get; init; }

    /// <summary>The whole dependency is down: everything that needs it fails, for this one reason.</summary>
    public bool IsOutage { get; init; }

    public ProblemRetry Retry { get; init; }

    /// <summary>Strikes against the image on trial; 6 end the trial. 0: another image would have failed, too.</summary>
    public int ImageBlame { get; init; }

    /// <summary>The app was running and ended, or was unhealthy. Otherwise it never ran.</summary>
    public bool IsAppFailure { get; init; }

    /// <summary>The exit code of a command that ends with this problem.</summary>
    public int ExitCode { get; init; } = ExitCodes.Failed;

    /// <summary>What to do when nothing more specific is known.</summary>
    public string DefaultRemedy => Retry == ProblemRetry.Never ? "See 'ragagent status'." : ExceptionMapping.RetriesAutomatically;

    /// <summary>The problem of one of these may be the cause of the other's: fixing the first fixes the second.</summary>
    public bool IsSameOutageAs(ProblemKind other) => IsOutage && other.IsOutage && DependsOn == other.DependsOn;
}
