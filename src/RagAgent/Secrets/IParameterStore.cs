using RagAgent.Common;

namespace RagAgent.Secrets;

/// <summary>Reads parameters from Parameter Store.</summary>
internal interface IParameterStore
{
    /// <param name="name">The parameter's name or ARN, perhaps with a version or label.</param>
    /// <param name="purpose">What the parameter is for. Only shapes the remedies of problems.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <exception cref="ProblemException">The parameter can't be read. The problem says why.</exception>
    Task<RawSecret> ReadAsync(string name, SecretPurpose purpose, CancellationToken stopping);
}
