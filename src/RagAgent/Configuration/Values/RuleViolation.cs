namespace RagAgent.Configuration.Values;

/// <summary>What a rule has against a text.</summary>
/// <param name="Requirement">Follows the word "must": <c>begin with '/'</c>.</param>
/// <param name="Hint">What to write instead; holds nothing of the text itself where that may be a secret.</param>
internal sealed record RuleViolation(string Requirement, string? Hint = null);
