namespace RagAgent.Supervision.State;

/// <summary>The progress of a pull.</summary>
/// <param name="Fraction">0 to 1, weighted by bytes; never decreases within one pull.</param>
/// <param name="DownloadedBytes">Compressed bytes that have arrived.</param>
/// <param name="TotalBytes">Compressed bytes of all layers that were missing.</param>
internal sealed record PullProgress(double Fraction, long DownloadedBytes, long TotalBytes)
{
    public int Percent => (int)(Fraction * 100);
}
