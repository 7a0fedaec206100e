using System.Text.Json.Nodes;

namespace RagAgent.Export;

/// <summary>A document for another platform, with notes for the operator.</summary>
/// <param name="Document">The input for the platform's client.</param>
/// <param name="Placeholders">What is missing in the configuration and must be filled in.</param>
/// <param name="Steps">What to do before the document can be used. The first line of each is a sentence, the others are commands.</param>
/// <param name="Remarks">Where the platform behaves differently from the configuration.</param>
internal sealed record ExportResult(
    JsonObject Document,
    IReadOnlyList<Placeholder> Placeholders,
    IReadOnlyList<string> Steps,
    IReadOnlyList<Remark> Remarks);
