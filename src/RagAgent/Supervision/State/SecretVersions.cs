namespace RagAgent.Supervision.State;

/// <summary>Which versions of the secrets the agent holds in memory.</summary>
/// <param name="Fingerprint">Identifies them in a release.</param>
/// <param name="Versions">For display: <c>OPENAI_API_KEY=3</c>; no values.</param>
/// <param name="Warnings">What an operator should change, although it works.</param>
internal sealed record SecretVersions(string Fingerprint, IReadOnlyList<string> Versions, IReadOnlyList<string> Warnings);
