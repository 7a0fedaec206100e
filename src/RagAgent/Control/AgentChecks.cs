using System.Net;
using System.Net.Sockets;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>What does the agent that runs here say of the app?</summary>
internal sealed class AgentCheck(ControlAddress address) : ICheck
{
    public string Name => "app";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        using var client = new ControlClient(address.Directory);
        try
        {
            return Judge(await client.StatusAsync(after: null, stopping));
        }
        catch (ProblemException e) when (e.Problem.Code == "not-running")
        {
            return CheckResult.Skipped("No agent runs here to ask about it.");
        }
    }

    public static CheckResult Judge(StatusDocument status) => status switch
    {
        { App: { StoppedBy: not null } } => CheckResult.Warning(status.Headline, "ragagent start"),
        { App.State: "serving", FrontDoor.Open: true, Problems: [] } => CheckResult.Well(status.Headline),
        { App.State: "serving", FrontDoor.Open: true, Problems: [var problem, ..] } => CheckResult.Warning(status.Headline, problem.Remedy),
        { App.State: "backoff" or "unhealthy" } or { Problems.Count: > 0 } or { FrontDoor.Open: false } => new CheckResult(Finding.Failed, status.Headline, "See 'ragagent status' and 'ragagent logs -x'.", (status.Problems is [{ } first, ..] ? first : status.LastFailure?.Problem)?.Code),
        _ => CheckResult.Warning(status.Headline, "It is under way: 'ragagent status --watch' shows how far."),
    };
}

/// <summary>Is the port where visitors come in the agent's, or free for it?</summary>
internal sealed class PortCheck(AgentConfig config, ControlAddress address) : ICheck
{
    public string Name => "port";

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        var port = config.Listen.Http;
        if (await DoorAsync(stopping) is { } door)
        {
            return door.Open
                ? CheckResult.Well($"Visitors come in at port {door.Port}.")
                : CheckResult.Skipped($"The agent runs and says what is wrong with port {door.Port}.");
        }
        try
        {
            using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
            return CheckResult.Well($"Port {port}, where visitors come in, is free for the agent.");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return CheckResult.Skipped($"Whether port {port} is free can be tried by root only; the service may open it.");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return await Systemd.ShowAsync(Systemd.Socket, stopping) is { } unit && unit.GetValueOrDefault("ActiveState") == "active"
                ? CheckResult.Well($"Port {port}, where visitors come in, is held by {Systemd.Socket} for the agent.")
                : CheckResult.Failed(new Problem("listen-port-taken", $"Port {port}, where visitors come in, is taken by another program.",
                    $"See which with 'ss -ltnp sport = :{port}' and stop it, or set listen.http in the configuration."));
        }
    }

    private async Task<FrontDoorStatus?> DoorAsync(CancellationToken stopping)
    {
        using var client = new ControlClient(address.Directory);
        try
        {
            return (await client.StatusAsync(after: null, stopping)).FrontDoor;
        }
        catch (ProblemException)
        {
            return null;   // nobody to ask
        }
    }
}
