using System.Text.Json.Serialization;

namespace RagAgent.Cli;

/// <summary>The output of <c>ragagent doctor --json</c>.</summary>
/// <param name="Version">The agent's version.</param>
/// <param name="Worst"><c>ok</c>, <c>warning</c> or <c>failed</c>. Notes and skipped checks count as ok.</param>
/// <param name="Checks">Prerequisites come before what depends on them.</param>
internal sealed record DoctorDocument(string Version, string Worst, IReadOnlyList<CheckDocument> Checks);

/// <param name="Name">Stable.</param>
/// <param name="Finding"><c>ok</c>, <c>skipped</c>, <c>note</c>, <c>warning</c> or <c>failed</c>.</param>
/// <param name="What">One sentence.</param>
/// <param name="Remedy">How to fix it; null: nothing to fix.</param>
/// <param name="Code">The stable code of the problem; null: there is none.</param>
internal sealed record CheckDocument(string Name, string Finding, string What, string? Remedy, string? Code);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DoctorDocument))]
internal sealed partial class DoctorJson : JsonSerializerContext;
