namespace RagAgent.Supervision.State;

/// <summary>How far a pull is.</summary>
/// <param name="Fraction">0 to 1, weighted by bytes; never goes back within one pull.</param>
/// <param name="DownloadedBytes">Compressed bytes that have arrived.</param>
/// <param name="TotalBytes">Compressed bytes of all layers that were missing.</param>
internal sealed record PullProgress(double Fraction, long DownloadedBytes, long TotalBytes)
{
    public int Percent => (int)(Fraction * 100);
}
