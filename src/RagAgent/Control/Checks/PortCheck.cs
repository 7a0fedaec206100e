using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Control.Checks;

/// <summary>Checks that the front door's ports belong to the agent or are free for it.</summary>
internal sealed partial class PortCheck(AgentConfig config, ControlSocketLock controlSocket) : ICheck
{
    public string Name => "port";

    /// <summary>The socket unit's properties. Null: systemd doesn't run here.</summary>
    public Func<CancellationToken, Task<IReadOnlyDictionary<string, string>?>> ReadSocketUnit { get; init; } =
        stopping => Systemctl.ShowAsync(Systemctl.SocketUnit, stopping);

    /// <summary>For tests of a machine without IPv6.</summary>
    public Func<AddressFamily, Socket> CreateSocket { get; init; } = family => new Socket(family, SocketType.Stream, ProtocolType.Tcp);

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        try
        {
            using var client = new ControlClient(controlSocket.Directory);
            var frontDoor = (await client.StatusAsync(after: null, stopping)).FrontDoor;
            if (await FindUnusedPortAsync(stopping) is { } unused)
            {
                return unused;
            }
            var https = frontDoor.Https is { } tls ? $", and for HTTPS on port {tls.Port}" : "";
            return frontDoor.Open
                ? CheckResult.Ok($"The front door is open on port {frontDoor.Port}{https}.")
                : CheckResult.Skipped("The agent is running, and reports above why the front door is closed.");
        }
        catch (ProblemException exception)
        {
            return ForUnreachableAgent(exception.Problem, config.Listen.Http) ?? await TestPortsAsync(stopping);
        }
    }

    /// <summary>A port that systemd holds and the agent does not serve: connections to it hang.</summary>
    private async Task<CheckResult?> FindUnusedPortAsync(CancellationToken stopping)
    {
        var unusedPorts = ListeningPorts(await ReadSocketUnit(stopping))
            .Where(port => port != config.Listen.Http && port != config.Listen.Https).ToArray();
        return unusedPorts is [var first, ..]
            ? CheckResult.Warning(
                $"{Systemctl.SocketUnit} holds port {first}, which the agent does not serve (listen.http is {config.Listen.Http}): " +
                "connections to it hang.",
                $"Run 'systemctl edit {Systemctl.SocketUnit}' and add [Socket], ListenStream= and " +
                $"ListenStream={config.Listen.Http}, each on its own line; " +
                $"then run 'systemctl stop {Systemctl.SocketUnit} {Systemctl.ServiceUnit}' and 'systemctl start {Systemctl.ServiceUnit}'.")
            : null;
    }

    /// <param name="unit">The socket unit's properties; null: systemd doesn't run here.</param>
    public static IEnumerable<int> ListeningPorts(IReadOnlyDictionary<string, string>? unit) =>
        unit?.GetValueOrDefault("ActiveState") == "active"
            ? PortPattern().Matches(unit.GetValueOrDefault("Listen") ?? "")
                .Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))
            : [];

    [GeneratedRegex(@":(\d+) \(Stream\)")]
    private static partial Regex PortPattern();

    /// <returns>The worst result, or, if all are fine, all of them in one.</returns>
    private async Task<CheckResult> TestPortsAsync(CancellationToken stopping)
    {
        var ports = new[] { config.Listen.Http, config.Listen.Https }.OfType<int>();
        var results = await Task.WhenAll(ports.Select(port => TestPortAsync(port, stopping)));
        var worst = results.MaxBy(result => result.Outcome)!;
        return worst.Outcome == CheckOutcome.Ok ? CheckResult.Ok(string.Join(' ', results.Select(result => result.What))) : worst;
    }

    /// <returns>Null if no agent is running.</returns>
    public static CheckResult? ForUnreachableAgent(Problem problem, int port) =>
        problem.Kind == ProblemCatalog.ControlDenied
            ? CheckResult.Skipped($"Only users allowed to query the agent can see whether it uses port {port}. {problem}")
            : null;

    /// <param name="unit">The socket unit's properties; null: systemd doesn't run here.</param>
    /// <param name="port">The configured port. The unit may listen on another one.</param>
    public static bool IsHeldBySocketUnit(IReadOnlyDictionary<string, string>? unit, int port) =>
        ListeningPorts(unit).Contains(port);

    private async Task<CheckResult> TestPortAsync(int port, CancellationToken stopping)
    {
        try
        {
            TestBind(port);
            return CheckResult.Ok($"The front door's port {port} is free for the agent.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            return CheckResult.Skipped($"Only root can test whether port {port} is free; the service may open it.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return IsHeldBySocketUnit(await ReadSocketUnit(stopping), port)
                ? CheckResult.Ok($"{Systemctl.SocketUnit} holds the front door's port {port} for the agent.")
                : CheckResult.Of(PortTaken(port, port == config.Listen.Https ? "listen.https" : "listen.http"));
        }
    }

    private static Problem PortTaken(int port, string key) => new(ProblemCatalog.ListenPortTaken,
        $"The front door can't open port {port}: another program uses it.",
        $"Find it with 'ss -ltnp sport = :{port}' and stop it, or set {key} in the configuration.");

    private void TestBind(int port)
    {
        try
        {
            using var socket = CreateSocket(AddressFamily.InterNetworkV6);
            socket.DualMode = true;
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is
            SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
        {
            // IPv6 is off.
            using var socket = CreateSocket(AddressFamily.InterNetwork);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
        }
    }
}
