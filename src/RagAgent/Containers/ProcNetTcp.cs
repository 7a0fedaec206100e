using System.Collections.Immutable;
using System.Globalization;
using RagAgent.Supervision.State;

namespace RagAgent.Containers;

/// <summary>Reads the kernel's list of TCP sockets, <c>/proc/net/tcp</c> and <c>/proc/net/tcp6</c>.</summary>
/// <remarks>
/// The text comes from a program in the container, so it is untrusted: lines that don't look like the kernel's are skipped.
/// </remarks>
internal static class ProcNetTcp
{
    private const string Listen = "0A";

    // The engine's own name server, in each container of a network that someone made.
    private const string EngineNameServer = "0B00007F";

    /// <param name="text">Both files, one after the other.</param>
    /// <returns>The listening ports in ascending order, each once.</returns>
    public static ImmutableArray<ListeningPort> ListeningPorts(string text) =>
    [
        .. text.Split('\n').Select(ParseLine).OfType<ListeningPort>()
            .GroupBy(socket => socket.Port)
            .Select(sockets => new ListeningPort(sockets.Key, sockets.All(socket => socket.IsLoopbackOnly)))
            .OrderBy(socket => socket.Port),
    ];

    /// <summary>A line is <c>sl local_address rem_address st …</c>, and an address <c>0100007F:2135</c>.</summary>
    private static ListeningPort? ParseLine(string line)
    {
        if (line.Split(' ', 5, StringSplitOptions.RemoveEmptyEntries) is not [_, var local, _, Listen, _] ||
            local.Split(':') is not [{ Length: 8 or 32 } address, { Length: 4 } portDigits] || address == EngineNameServer ||
            !int.TryParse(portDigits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var port))
        {
            return null;
        }
        return new ListeningPort(port, IsLoopback(address));
    }

    /// <summary>The kernel prints an address in words of four bytes, each with its last byte first.</summary>
    private static bool IsLoopback(string address) => address.Length == 8
        ? address.EndsWith("7F", StringComparison.Ordinal)
        : address == "00000000000000000000000001000000" ||
          (address.StartsWith("0000000000000000FFFF0000", StringComparison.Ordinal) && address.EndsWith("7F", StringComparison.Ordinal));
}
