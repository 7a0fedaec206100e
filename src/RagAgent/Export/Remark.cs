namespace RagAgent.Export;

/// <summary>Tells how the platform behaves differently from some settings.</summary>
/// <param name="Keys">Dotted keys of the configuration. A section includes everything below it.</param>
/// <param name="Sentence">The difference.</param>
internal sealed record Remark(IReadOnlyList<string> Keys, string Sentence);
