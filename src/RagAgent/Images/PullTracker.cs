using RagAgent.Supervision.State;

namespace RagAgent.Images;

/// <summary>Turns the engine's progress messages into one fraction, weighted by the layers' sizes. Pure; never fails a pull.</summary>
/// <remarks>
/// Engines differ: some send no total, some send seconds instead of bytes while they unpack, some send messages out of order
/// or restart a layer after a failure. The reported fraction never goes back.
/// </remarks>
internal sealed class PullTracker
{
    // Unpacking takes about a third of a pull's time within one region.
    private const double DownloadWeight = 0.7;
    private const int ShortIdLength = 12;
    private const long MaxLayerSize = 1L << 50;   // a manifest may claim anything; sums of these still fit

    private readonly Dictionary<string, LayerProgress> _layers = [];
    private readonly List<LayerProgress> _ordered = [];
    private double _reported;

    /// <param name="layers">The manifest's layers, from the bottom up.</param>
    public PullTracker(IReadOnlyList<Layer> layers)
    {
        foreach (var (digest, size) in layers)
        {
            // The engine identifies a layer by the first digits of its digest.
            var hex = digest[(digest.IndexOf(':') + 1)..];
            var layer = new LayerProgress(Math.Clamp(size, 0, MaxLayerSize));
            if (_layers.TryAdd(hex.Length > ShortIdLength ? hex[..ShortIdLength] : hex, layer))
            {
                _ordered.Add(layer);
            }
        }
    }

    /// <summary>A layer is being unpacked. The engine may then be silent for a long time.</summary>
    /// <remarks>Layers are unpacked from the bottom up, so a layer that waits for a lower one is not being unpacked.</remarks>
    public bool IsExtracting => _ordered.Find(layer => layer is { AlreadyExists: false, IsExtracted: false }) is { IsDownloaded: true };

    /// <summary>Compressed bytes of the layers that were not on disk.</summary>
    public long MissingBytes => _layers.Values.Where(layer => !layer.AlreadyExists).Sum(layer => layer.Size);

    /// <returns>The pull's progress; null while too little is known.</returns>
    public PullProgress? Observe(string? id, string? status, long? current, long? total)
    {
        if (id is null || status is null || !_layers.TryGetValue(id, out var layer))
        {
            return null;
        }
        switch (status)
        {
            case "Already exists":
                layer.AlreadyExists = true;
                break;
            case "Downloading" when !layer.IsDownloaded:
                layer.Downloaded = Math.Clamp(current ?? 0, layer.Downloaded, layer.Size);
                break;
            case "Verifying Checksum" or "Download complete":
                layer.Downloaded = layer.Size;
                layer.IsDownloaded = true;
                break;
            case "Extracting":
                layer.Downloaded = layer.Size;
                layer.IsDownloaded = true;
                layer.Extracted = total > 0 && current is { } done
                    ? Math.Max(layer.Extracted, Math.Clamp((double)done / total.Value, 0, 1))
                    : layer.Extracted;
                break;
            case "Pull complete":
                layer.Downloaded = layer.Size;
                layer.IsDownloaded = layer.IsExtracted = true;
                break;
            default:
                return null;   // "Pulling fs layer", "Waiting", "Retrying in …" and unknown messages
        }
        return CurrentProgress();
    }

    private PullProgress? CurrentProgress()
    {
        var missing = MissingBytes;
        var pulled = _layers.Values.Where(layer => !layer.AlreadyExists).ToArray();
        var downloaded = pulled.Sum(layer => layer.Downloaded);
        if (missing == 0 || downloaded == 0)
        {
            return null;
        }
        var extracted = pulled.Sum(layer => layer.Size * (layer.IsExtracted ? 1 : layer.Extracted));
        var fraction = (DownloadWeight * downloaded / missing) + ((1 - DownloadWeight) * extracted / missing);
        _reported = Math.Max(_reported, Math.Min(fraction, 1));
        return new PullProgress(_reported, downloaded, missing);
    }

    private sealed class LayerProgress(long size)
    {
        public long Size => size;
        public long Downloaded { get; set; }
        public double Extracted { get; set; }
        public bool AlreadyExists { get; set; }
        public bool IsDownloaded { get; set; }
        public bool IsExtracted { get; set; }
    }
}
