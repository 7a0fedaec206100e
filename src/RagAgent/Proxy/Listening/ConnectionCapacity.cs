using System.Globalization;
using System.Text.RegularExpressions;

namespace RagAgent.Proxy.Listening;

/// <summary>How many connections fit into the process's limit of open files.</summary>
internal static partial class ConnectionCapacity
{
    private const string LimitsFile = "/proc/self/limits";

    // For the agent itself: the engine, AWS, probes, the control socket, its files.
    private const int Reserve = 256;

    /// <summary>From clients, and as many again to the app.</summary>
    public static int MaxConnections { get; } = CapConnections(connections: 4096);

    /// <param name="connections">The upper limit.</param>
    public static int CapConnections(int connections) =>
        CapConnections(connections, File.Exists(LimitsFile) ? File.ReadAllText(LimitsFile) : "");

    /// <param name="connections">The upper limit.</param>
    /// <param name="limits">The text of proc_pid_limits(5).</param>
    /// <returns>At least 16, or the front door would serve hardly anyone.</returns>
    public static int CapConnections(int connections, string limits) =>
        SoftLimit().Match(limits) is { Success: true } match &&
        int.TryParse(match.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var files)
            ? Math.Clamp((files - Reserve) / 2, 16, connections)   // one for the client, one for the app
            : connections;

    [GeneratedRegex(@"^Max open files\s+(\d+)", RegexOptions.Multiline)]
    private static partial Regex SoftLimit();
}
