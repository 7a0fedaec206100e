using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>Whether an image fits on the disk, before a pull finds out the hard way. Pure.</summary>
internal static class DiskPreflight
{
    /// <summary>The compressed bytes of a layer lie beside what they unpack to, which is about twice as much.</summary>
    public const int Unpacked = 3;

    /// <summary>For the container's own writes and logs, and for what else grows meanwhile.</summary>
    public const long Reserve = 256_000_000;

    /// <summary>Compressed bytes of the layers that no image on disk has.</summary>
    /// <param name="layers">The image's, from its manifest.</param>
    /// <param name="diffIds">The same layers unpacked, from its config blob.</param>
    /// <param name="onDisk">The layers of each image on disk, unpacked.</param>
    /// <remarks>A layer is only used again on top of the same layers: what counts is how long two images are the same from the bottom up.</remarks>
    public static long MissingBytes(IReadOnlyList<Layer> layers, IReadOnlyList<string> diffIds, IEnumerable<IReadOnlyList<string>> onDisk)
    {
        // A config blob that does not fit its manifest proves nothing about what is there.
        var there = diffIds.Count == layers.Count ? onDisk.Select(other => Shared(diffIds, other)).DefaultIfEmpty(0).Max() : 0;
        return layers.Skip(there).DistinctBy(layer => layer.Digest).Aggregate(0L, (sum, layer) => Sum(sum, layer.Size));
    }

    /// <summary>How many layers from the bottom up are the same.</summary>
    public static int Shared(IReadOnlyList<string> one, IReadOnlyList<string> other) =>
        one.Zip(other).TakeWhile(pair => pair.First == pair.Second).Count();

    /// <summary>Bytes that must be free to pull so many compressed ones; an image whose layers are all there needs none.</summary>
    public static long Needed(long missing) => missing switch
    {
        <= 0 => 0,
        > (long.MaxValue - Reserve) / Unpacked => long.MaxValue,   // a manifest may state anything
        _ => (missing * Unpacked) + Reserve,
    };

    /// <exception cref="ProblemException">It does not fit.</exception>
    public static void Require(long missing, FreeSpace? free, string reference)
    {
        if (free is not null && free.Bytes < Needed(missing))
        {
            throw new ProblemException(new Problem(ProblemCodes.DiskFull,
                $"Pulling {reference} needs {Words.Bytes(Needed(missing))} of disk ({Words.Bytes(missing)} of layers, unpacked, and a reserve), " +
                $"but {Words.Bytes(free.Bytes)} are free on {free.Path}.",
                "Free some space ('docker system df' shows what the engine holds) or enlarge the volume; the agent tries again by itself."));
        }
    }

    private static long Sum(long one, long other) => other <= 0 ? one : one > long.MaxValue - other ? long.MaxValue : one + other;
}
