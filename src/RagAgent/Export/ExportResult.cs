using System.Text.Json.Nodes;

namespace RagAgent.Export;

/// <summary>A document for another engine, and what its reader has to know of it.</summary>
/// <param name="Document">What the engine's own client takes.</param>
/// <param name="Placeholders">What stands in the document as a mark, for the configuration does not say it.</param>
/// <param name="Steps">What has to be there before the document is of use; the first line of each is a sentence, the others are commands.</param>
/// <param name="Remarks">What the configuration says and the document does not, or not in the same way.</param>
internal sealed record ExportResult(JsonObject Document, IReadOnlyList<Placeholder> Placeholders, IReadOnlyList<string> Steps, IReadOnlyList<Remark> Remarks);

/// <param name="Text">As it stands in the document, in angle brackets: no engine takes such a name, so that none is used by accident.</param>
/// <param name="Meaning">What belongs there.</param>
/// <param name="Option">That fills it in; null: by hand.</param>
internal sealed record Placeholder(string Text, string Meaning, string? Option = null);

/// <param name="Keys">Dotted keys of the configuration; a section stands for all that is below it.</param>
/// <param name="Sentence">What becomes of them.</param>
internal sealed record Remark(IReadOnlyList<string> Keys, string Sentence);
