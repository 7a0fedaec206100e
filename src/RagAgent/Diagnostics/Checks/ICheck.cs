using RagAgent.Common;

namespace RagAgent.Diagnostics.Checks;

/// <summary>Checks one thing that must be right for the app to come up. Changes nothing.</summary>
internal interface ICheck
{
    /// <summary>One word.</summary>
    string Name { get; }

    /// <exception cref="ProblemException">The check failed.</exception>
    Task<CheckResult> RunAsync(CancellationToken stopping);
}
