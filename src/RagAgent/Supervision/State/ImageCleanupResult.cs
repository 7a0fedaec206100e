namespace RagAgent.Supervision.State;

/// <summary>What an image cleanup removed.</summary>
/// <param name="Removed">How many images were removed.</param>
/// <param name="FreedBytes">An estimate from the free disk space, which other programs change too.</param>
internal sealed record ImageCleanupResult(int Removed, long FreedBytes);
