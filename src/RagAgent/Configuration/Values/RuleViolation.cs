namespace RagAgent.Configuration.Values;

/// <summary>Why a string is invalid.</summary>
/// <param name="Requirement">Completes a sentence with "must": <c>begin with '/'</c>.</param>
/// <param name="Hint">What to write instead. Never a part of a string that may be a secret.</param>
internal sealed record RuleViolation(string Requirement, string? Hint = null);
