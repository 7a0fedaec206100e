namespace RagAgent.Supervision.State;

/// <summary>What a removal of old images brought.</summary>
/// <param name="Removed">Images that are gone.</param>
/// <param name="FreedBytes">As the disk shows it; an estimate, for others write there too.</param>
internal sealed record ImageCleanupResult(int Removed, long FreedBytes);
