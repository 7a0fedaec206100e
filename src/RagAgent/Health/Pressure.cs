using System.Globalization;

namespace RagAgent.Health;

/// <summary>Reads from the kernel's pressure stall information (PSI) whether the machine itself is short of a resource.</summary>
/// <remarks>
/// Reads <c>some avg10</c>: the share of the last ten seconds in which at least one task was stalled.
/// When a probe times out, the app has been slow for about that long.
/// <para>
/// CPU, 60 %: one busy process on two cores stalls nothing, and a start or a pull stalls a third of the time.
/// Above 60 %, something waits for its turn more often than not, and every answer takes several times as long.
/// </para>
/// <para>
/// Memory, 40 %: a machine with enough memory has no stalls here.
/// Stalls mean that pages which were just evicted are read back, which slows down every process, even one that does no I/O.
/// </para>
/// <para>
/// I/O, 60 %: unpacking an image keeps the disk busy and reaches 30 to 50 % on a small volume,
/// without slowing down an app whose code is in memory.
/// </para>
/// </remarks>
/// <param name="directory">Where the kernel publishes PSI. Without it (an old kernel, or PSI is off), there is never a shortage.</param>
internal sealed class Pressure(string directory = "/proc/pressure")
{
    private const string LinePrefix = "some ";
    private const string FieldPrefix = "avg10=";

    private static readonly (string File, double Limit, string What)[] Resources =
    [
        ("cpu", 60, "processor time"),
        ("memory", 40, "memory"),
        ("io", 60, "disk throughput"),
    ];

    /// <returns>What the machine is short of; null if of nothing, or if that is unknown.</returns>
    public string? FindShortage() => Array.Find(Resources, resource => Read(resource.File) > resource.Limit).What;

    /// <summary>The share in percent; null if the text has none.</summary>
    public static double? Parse(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith(LinePrefix, StringComparison.Ordinal))
            {
                continue;
            }
            var field = Array.Find(line.Split(' '), part => part.StartsWith(FieldPrefix, StringComparison.Ordinal));
            var number = field?[FieldPrefix.Length..];
            return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100
                ? percent
                : null;
        }
        return null;
    }

    private double? Read(string resource)
    {
        try
        {
            return Parse(File.ReadAllText(Path.Combine(directory, resource)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;   // including "operation not supported", from a kernel with PSI off
        }
    }
}
