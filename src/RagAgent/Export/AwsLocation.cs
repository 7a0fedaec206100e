namespace RagAgent.Export;

/// <summary>What an instance finds out by itself, and a file can't tell; null: use a placeholder.</summary>
internal sealed record AwsLocation(string? Region = null, string? Account = null);
