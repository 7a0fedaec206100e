namespace RagAgent.Common;

/// <summary>One entry of the <see cref="ProblemCatalog"/>.</summary>
/// <param name="Code">A short stable name, such as <c>ssm-parameter-missing</c>. A contract: scripts, tests and the journal's catalog use it.</param>
internal sealed record ProblemKind(string Code)
{
    /// <summary>Strikes against the image on trial; 0: another image would have failed the same way.</summary>
    public int ImageBlame { get; init; }

    /// <summary>What must work first.</summary>
    public Dependency DependsOn { get; init; }

    /// <summary>What a command returns that ends with this problem.</summary>
    public int ExitCode { get; init; } = ExitCodes.Failed;

    /// <summary>The app itself exited or was unhealthy; otherwise it never ran.</summary>
    public bool IsAppFailure => Code.StartsWith("app-", StringComparison.Ordinal);
}

/// <summary>What a problem can be a symptom of.</summary>
internal enum Dependency
{
    None,

    /// <summary>The AWS credentials: other ones may solve it.</summary>
    Credentials,
}
