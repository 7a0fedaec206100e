using RagAgent.Common;
using RagAgent.Containers;

namespace RagAgent.Images;

/// <summary>Checks before a pull whether the image fits on the disk. Pure.</summary>
internal static class DiskPreflight
{
    /// <summary>During a pull, the disk holds a layer's compressed bytes and its unpacked files, which are about twice as large.</summary>
    public const int UnpackedFactor = 3;

    /// <summary>For the container's own files and logs, and for whatever else grows meanwhile.</summary>
    public const long ReserveBytes = 256_000_000;

    /// <summary>Compressed bytes of the layers that no image on disk has.</summary>
    /// <param name="layers">The image's layers, from its manifest.</param>
    /// <param name="diffIds">Digests of the same layers unpacked, from its config blob.</param>
    /// <param name="onDisk">Digests of the unpacked layers of each image on disk.</param>
    /// <remarks>The engine reuses a layer only on top of the same layers, so only a common start of two images counts.</remarks>
    public static long MissingBytes(IReadOnlyList<Layer> layers, IReadOnlyList<string> diffIds, IEnumerable<IReadOnlyList<string>> onDisk)
    {
        // A config blob that doesn't match its manifest proves nothing about what is on disk.
        var presentLayers = diffIds.Count == layers.Count
            ? onDisk.Select(other => SharedLayers(diffIds, other)).DefaultIfEmpty(0).Max()
            : 0;
        return layers.Skip(presentLayers).DistinctBy(layer => layer.Digest).Aggregate(0L, (sum, layer) => AddSaturating(sum, layer.Size));
    }

    /// <summary>How many layers are the same, counted from the bottom up.</summary>
    public static int SharedLayers(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    /// <summary>Bytes that must be free to pull this many compressed bytes. Zero if all layers are on disk.</summary>
    public static long RequiredBytes(long missingBytes) => missingBytes switch
    {
        <= 0 => 0,
        > (long.MaxValue - ReserveBytes) / UnpackedFactor => long.MaxValue,   // a manifest may claim anything
        _ => (missingBytes * UnpackedFactor) + ReserveBytes,
    };

    /// <exception cref="ProblemException">The image doesn't fit.</exception>
    public static void RequireSpace(long missingBytes, FreeSpace? free, string reference)
    {
        if (free is not null && free.Bytes < RequiredBytes(missingBytes))
        {
            throw new ProblemException(new Problem(ProblemCatalog.DiskFull,
                $"Pulling {reference} needs {Humanize.Bytes(RequiredBytes(missingBytes))} of disk space " +
                $"({Humanize.Bytes(missingBytes)} of layers, their unpacked files and a reserve), " +
                $"but only {Humanize.Bytes(free.Bytes)} are free on {free.Path}.",
                EngineProblems.FreeSpaceRemedy));
        }
    }

    private static long AddSaturating(long one, long other) => other switch
    {
        <= 0 => one,
        _ when one > long.MaxValue - other => long.MaxValue,
        _ => one + other,
    };
}
