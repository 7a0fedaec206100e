namespace RagAgent.Export.Ecs;

/// <summary>A size of Fargate tasks. Only certain combinations exist.</summary>
/// <param name="Cpu">In 1/1024 vCPU.</param>
/// <param name="Memory">In MiB.</param>
internal sealed record FargateSize(int Cpu, int Memory)
{
    private static readonly FargateSize[] All =
    [
        new(256, 512), new(256, 1024), new(256, 2048),
        .. Sizes(512, 1, 4, 1),
        .. Sizes(1024, 2, 8, 1),
        .. Sizes(2048, 4, 16, 1),
        .. Sizes(4096, 8, 30, 1),
        .. Sizes(8192, 16, 60, 4),
        .. Sizes(16384, 32, 120, 8),
    ];

    public static FargateSize Largest => All[^1];

    /// <summary>The smallest size with at least this much of both; null: there is none.</summary>
    /// <param name="cpus">In vCPUs.</param>
    /// <param name="memory">In bytes.</param>
    public static FargateSize? SmallestFor(double cpus, long memory) =>
        Array.Find(All, size => size.Cpu >= cpus * 1024 && size.Memory * (1L << 20) >= memory);

    private static IEnumerable<FargateSize> Sizes(int cpu, int minGib, int maxGib, int step)
    {
        for (var gib = minGib; gib <= maxGib; gib += step)
        {
            yield return new FargateSize(cpu, gib * 1024);
        }
    }
}
