namespace RagAgent.Supervision.State;

/// <summary>Which versions of the secrets the agent holds in memory.</summary>
/// <param name="Fingerprint">Names them in a release.</param>
/// <param name="Versions">For people: <c>OPENAI_API_KEY=3</c>; no values.</param>
/// <param name="Warnings">What an operator should change though it works.</param>
internal sealed record SecretVersions(string Fingerprint, IReadOnlyList<string> Versions, IReadOnlyList<string> Warnings);
