using RagAgent.Common;

namespace RagAgent.Images;

/// <summary>Whether an image fits on the disk, before a pull finds out the hard way. Pure.</summary>
internal static class DiskPreflight
{
    /// <summary>The compressed bytes of a layer lie beside what they unpack to, which is about twice as much.</summary>
    public const int UnpackedFactor = 3;

    /// <summary>For the container's own writes and logs, and for what else grows meanwhile.</summary>
    public const long ReserveBytes = 256_000_000;

    /// <summary>Compressed bytes of the layers that no image on disk has.</summary>
    /// <param name="layers">The image's, from its manifest.</param>
    /// <param name="diffIds">The same layers unpacked, from its config blob.</param>
    /// <param name="onDisk">The layers of each image on disk, unpacked.</param>
    /// <remarks>A layer is only used again on top of the same layers: what counts is how long two images are the same from the bottom up.</remarks>
    public static long MissingBytes(IReadOnlyList<Layer> layers, IReadOnlyList<string> diffIds, IEnumerable<IReadOnlyList<string>> onDisk)
    {
        // A config blob that does not fit its manifest proves nothing about what is there.
        var presentLayers = diffIds.Count == layers.Count ? onDisk.Select(other => SharedLayers(diffIds, other)).DefaultIfEmpty(0).Max() : 0;
        return layers.Skip(presentLayers).DistinctBy(layer => layer.Digest).Aggregate(0L, (sum, layer) => AddSaturating(sum, layer.Size));
    }

    /// <summary>How many layers from the bottom up are the same.</summary>
    public static int SharedLayers(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    /// <summary>Bytes that must be free to pull so many compressed ones; an image whose layers are all there needs none.</summary>
    public static long RequiredBytes(long missingBytes) => missingBytes switch
    {
        <= 0 => 0,
        > (long.MaxValue - ReserveBytes) / UnpackedFactor => long.MaxValue,   // a manifest may state anything
        _ => (missingBytes * UnpackedFactor) + ReserveBytes,
    };

    /// <exception cref="ProblemException">It does not fit.</exception>
    public static void RequireSpace(long missingBytes, FreeSpace? free, string reference)
    {
        if (free is not null && free.Bytes < RequiredBytes(missingBytes))
        {
            throw new ProblemException(new Problem(ProblemCatalog.DiskFull,
                $"Pulling {reference} needs {Humanize.Bytes(RequiredBytes(missingBytes))} of disk ({Humanize.Bytes(missingBytes)} of layers, unpacked, and a reserve), " +
                $"but {Humanize.Bytes(free.Bytes)} are free on {free.Path}.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."));
        }
    }

    private static long AddSaturating(long one, long other) => other <= 0 ? one : one > long.MaxValue - other ? long.MaxValue : one + other;
}
