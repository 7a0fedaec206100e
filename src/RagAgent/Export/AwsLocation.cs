namespace RagAgent.Export;

/// <summary>What an instance detects automatically and a file does not say. Null: use a placeholder.</summary>
internal sealed record AwsLocation(string? Region = null, string? Account = null);
