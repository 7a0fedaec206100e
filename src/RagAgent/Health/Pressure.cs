using System.Globalization;

namespace RagAgent.Health;

/// <summary>Whether the machine itself is short of something, by the kernel's pressure-stall information.</summary>
/// <remarks>
/// Read is <c>some avg10</c>: for how much of the last ten seconds at least one task could not go on. Ten seconds are what an app has been
/// slow in when its probe's time is over.
/// <para>Processor, 60 %: one busy process on two cores waits for no one, and a start or a pull waits a third of the time; above 60 something waits
/// for its turn more often than not, and any answer takes a multiple of its time.</para>
/// <para>Memory, 40 %: a machine with enough has none of it. Stalls here mean that pages are fetched back that were just given up, which
/// slows every process, also those that use the disk for nothing else: a lower bound.</para>
/// <para>Disk, 60 %: a pull that is unpacked keeps it busy, and reaches 30 to 50 on a small volume without making an app that has its code in memory slow.</para>
/// </remarks>
/// <param name="directory">Where the kernel tells it; without it (an old kernel, a switched-off one) the machine counts as well.</param>
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

    /// <returns>What it is short of, in words; null when of nothing, or when nothing is known.</returns>
    public string? FindShortage() => Array.Find(Resources, resource => Read(resource.File) > resource.Limit).What;

    /// <summary>The share in percent; null when the text has none.</summary>
    public static double? Parse(string text)
    {
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith(LinePrefix, StringComparison.Ordinal))
            {
                continue;
            }
            var field = Array.Find(line.Split(' '), f => f.StartsWith(FieldPrefix, StringComparison.Ordinal));
            return double.TryParse(field?[FieldPrefix.Length..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent) && percent <= 100 ? percent : null;
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
            return null;   // also "operation not supported", which is how a kernel says that it keeps no account
        }
    }
}
