using System.Globalization;
using System.Text.RegularExpressions;

namespace RagAgent.Proxy.Listening;

/// <summary>How many visitors the process's limit of open files leaves room for.</summary>
internal static partial class FileDescriptorLimit
{
    private const string LimitsFile = "/proc/self/limits";

    // The agent's own: the engine, AWS, probes, the control socket, its files.
    private const int Reserve = 256;

    /// <summary>Of visitors to us, and as many of ours to the app.</summary>
    public static int MaxConnections { get; } = CapConnections(connections: 4096);

    /// <param name="connections">How many there may be at most.</param>
    public static int CapConnections(int connections) => CapConnections(connections, File.Exists(LimitsFile) ? File.ReadAllText(LimitsFile) : "");

    /// <param name="connections">How many there may be at most.</param>
    /// <param name="limits">As in proc_pid_limits(5).</param>
    /// <returns>At least 16: a front door that nobody comes through would be none.</returns>
    public static int CapConnections(int connections, string limits) =>
        SoftLimit().Match(limits) is { Success: true } match && int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var files)
            ? Math.Clamp((files - Reserve) / 2, 16, connections)   // one for the visitor, one for the app
            : connections;

    [GeneratedRegex(@"^Max open files\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex SoftLimit();
}
