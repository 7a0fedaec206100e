using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Reporting;

namespace RagAgent.Control;

/// <summary>What does the agent that runs here say of the app?</summary>
internal sealed class AppCheck(ControlSocket controlSocket) : ICheck
{
    public string Name => "app";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        using var client = new ControlClient(controlSocket.Directory);
        try
        {
            return Evaluate(await client.StatusAsync(after: null, stopping));
        }
        catch (ProblemException exception) when (ForUnreachableAgent(exception.Problem) is { } result)
        {
            return result;
        }
    }

    /// <summary>Null: that there is no answer is what is wrong.</summary>
    public static CheckResult? ForUnreachableAgent(Problem problem) => problem.Kind switch
    {
        var kind when kind == ProblemCatalog.NotRunning => CheckResult.Skipped("No agent runs here to ask about it."),
        var kind when kind == ProblemCatalog.ControlDenied => CheckResult.Skipped($"How the app is, only those get to know who may ask the agent. {problem}"),
        _ => null,
    };

    public static CheckResult Evaluate(StatusDocument status) => status switch
    {
        { App: { StoppedBy: not null } } => CheckResult.Warning(status.Headline, "ragagent start"),
        { App.State: "serving", FrontDoor.Open: true, Problems: [], Rollout.SetAside: { } avoided } => CheckResult.Warning(status.Headline, avoided.Why.Remedy),
        { App.State: "serving", FrontDoor.Open: true, Problems: [] } => CheckResult.Ok(status.Headline),
        { App.State: "serving", FrontDoor.Open: true } => CheckResult.Warning(
            string.Join(' ', status.Problems.Select(problem => problem.What).Where(what => !status.Headline.Contains(what, StringComparison.Ordinal)).Prepend(status.Headline)),
            string.Join(' ', status.Problems.Select(problem => problem.Remedy).Distinct())),
        { App.State: "backoff" or "unhealthy" } or { Problems.Count: > 0 } or { FrontDoor.Open: false } => new CheckResult(CheckOutcome.Failed, status.Headline, "See 'ragagent status' and 'ragagent logs -x'.", (status.Problems is [{ } first, ..] ? first : status.LastFailure?.Problem)?.Code),
        _ => CheckResult.Warning(status.Headline, "It is under way: 'ragagent status --watch' shows how far."),
    };
}

/// <summary>Is the port where visitors come in the agent's, or free for it?</summary>
internal sealed partial class PortCheck(AgentConfig config, ControlSocket controlSocket) : ICheck
{
    public string Name => "port";

    /// <summary>What systemd says of the socket unit; null: no systemd runs here.</summary>
    public Func<CancellationToken, Task<IReadOnlyDictionary<string, string>?>> ReadSocketUnit { get; init; } = stopping => Systemctl.ShowAsync(Systemctl.SocketUnit, stopping);

    /// <summary>For a test of a machine that has no IPv6.</summary>
    public Func<AddressFamily, Socket> CreateSocket { get; init; } = family => new Socket(family, SocketType.Stream, ProtocolType.Tcp);

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        try
        {
            using var client = new ControlClient(controlSocket.Directory);
            var frontDoor = (await client.StatusAsync(after: null, stopping)).FrontDoor;
            return await FindUnusedPortAsync(stopping) is { } idle ? idle : frontDoor.Open
                ? CheckResult.Ok($"Visitors come in at port {frontDoor.Port}{(frontDoor.Https is { } https ? $" and, by HTTPS, at port {https.Port}" : "")}.")
                : CheckResult.Skipped("The agent runs, and says above why no visitor gets in.");
        }
        catch (ProblemException exception)
        {
            return ForUnreachableAgent(exception.Problem, config.Listen.Http) ?? await TestPortsAsync(stopping);
        }
    }

    /// <summary>A port that systemd holds and the agent does not listen at: who comes there waits in vain.</summary>
    private async Task<CheckResult?> FindUnusedPortAsync(CancellationToken stopping)
    {
        var unusedPorts = ListeningPorts(await ReadSocketUnit(stopping)).Where(port => port != config.Listen.Http && port != config.Listen.Https).ToArray();
        return unusedPorts is [var first, ..]
            ? CheckResult.Warning($"{Systemctl.SocketUnit} holds port {first}, where nobody listens (listen.http is {config.Listen.Http}): who comes there waits in vain.",
                $"Say 'systemctl edit {Systemctl.SocketUnit}' and give it [Socket], ListenStream= and ListenStream={config.Listen.Http}, a line each; then 'systemctl stop {Systemctl.SocketUnit} {Systemctl.ServiceUnit}' and 'systemctl start {Systemctl.ServiceUnit}'.")
            : null;
    }

    /// <param name="unit">The socket unit's properties; null: no systemd runs here.</param>
    public static IEnumerable<int> ListeningPorts(IReadOnlyDictionary<string, string>? unit) =>
        unit?.GetValueOrDefault("ActiveState") == "active" ? PortPattern().Matches(unit.GetValueOrDefault("Listen") ?? "").Select(found => int.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)) : [];

    [GeneratedRegex(@":(\d+) \(Stream\)")]
    private static partial Regex PortPattern();

    /// <summary>What is worst of them; when all are well, each.</summary>
    private async Task<CheckResult> TestPortsAsync(CancellationToken stopping)
    {
        var found = await Task.WhenAll(new[] { config.Listen.Http, config.Listen.Https }.OfType<int>().Select(port => TestPortAsync(port, stopping)));
        var worst = found.MaxBy(result => result.Outcome)!;
        return worst.Outcome == CheckOutcome.Ok ? CheckResult.Ok(string.Join(' ', found.Select(result => result.What))) : worst;
    }

    /// <summary>Null: there is nobody to ask.</summary>
    public static CheckResult? ForUnreachableAgent(Problem problem, int port) =>
        problem.Kind == ProblemCatalog.ControlDenied ? CheckResult.Skipped($"Whether port {port} is the agent's, only those get to know who may ask it. {problem}") : null;

    /// <param name="unit">The socket unit's properties; null: no systemd runs here.</param>
    /// <param name="port">Of the configuration: the unit may listen on another one.</param>
    public static bool IsHeldBySocketUnit(IReadOnlyDictionary<string, string>? unit, int port) =>
        ListeningPorts(unit).Contains(port);

    private async Task<CheckResult> TestPortAsync(int port, CancellationToken stopping)
    {
        try
        {
            TestBind(port);
            return CheckResult.Ok($"Port {port}, where visitors come in, is free for the agent.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AccessDenied)
        {
            return CheckResult.Skipped($"Whether port {port} is free can be tried by root only; the service may open it.");
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return IsHeldBySocketUnit(await ReadSocketUnit(stopping), port)
                ? CheckResult.Ok($"Port {port}, where visitors come in, is held by {Systemctl.SocketUnit} for the agent.")
                : CheckResult.Failed(new Problem(ProblemCatalog.ListenPortTaken, $"Port {port}, where visitors come in, is taken by another program.",
                    $"See which with 'ss -ltnp sport = :{port}' and stop it, or set {(port == config.Listen.Https ? "listen.https" : "listen.http")} in the configuration."));
        }
    }

    private void TestBind(int port)
    {
        try
        {
            using var socket = CreateSocket(AddressFamily.InterNetworkV6);
            socket.DualMode = true;
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)   // IPv6 is switched off
        {
            using var socket = CreateSocket(AddressFamily.InterNetwork);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
        }
    }
}
