using System.Net;
using System.Net.Sockets;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Control;
using RagAgent.Control.Checks;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

/// <summary>Whose the port is where visitors come in, with nobody who answers for it.</summary>
public sealed class PortCheckTests
{
    private static readonly Problem Denied = new(ProblemCatalog.ControlDenied, "The agent's control socket /x may not be used by this user.", "Use sudo.");

    [Theory]
    [InlineData("ActiveState=active\nListen=[::]:80 (Stream)\n", true)]
    [InlineData("ActiveState=active\nListen=0.0.0.0:80 (Stream)\n", true)]
    [InlineData("ActiveState=active\nListen=[::]:80 (Stream)\nListen=[::]:443 (Stream)\n", true)]
    [InlineData("ActiveState=active\nListen=[::]:8080 (Stream)\n", false)]
    [InlineData("ActiveState=active\nListen=[::]:80 (Datagram)\n", false)]
    [InlineData("ActiveState=active\nListen=/run/80 (Stream)\n", false)]
    [InlineData("ActiveState=active\n", false)]
    [InlineData("ActiveState=failed\nListen=[::]:80 (Stream)\n", false)]
    [InlineData(null, false)]
    public void The_socket_unit_holds_it_when_it_is_active_and_listens_there(string? unit, bool holds) =>
        Assert.Equal(holds, PortCheck.IsHeldBySocketUnit(unit is null ? null : Systemctl.ParseProperties(unit), 80));

    [Fact]
    public void A_port_that_is_held_and_not_listened_at_is_found() =>
        Assert.Equal([80, 443], PortCheck.ListeningPorts(Systemctl.ParseProperties("ActiveState=active\nListen=[::]:80 (Stream)\nListen=[::]:443 (Stream)\n")));

    [Fact]
    public void Who_may_not_ask_the_agent_is_told_so_and_that_nothing_else_is_known()
    {
        Assert.Equal(
            CheckResult.Skipped("Only users allowed to query the agent can see whether it uses port 80. The agent's control socket /x may not be used by this user. Use sudo."),
            PortCheck.ForUnreachableAgent(Denied, 80));
        Assert.Equal(
            CheckResult.Skipped("The app's status is visible only to users allowed to query the agent. The agent's control socket /x may not be used by this user. Use sudo."),
            AppCheck.ForUnreachableAgent(Denied));
    }

    [Fact]
    public void Where_nobody_answers_the_port_is_tried()
    {
        Assert.Null(PortCheck.ForUnreachableAgent(Sample.AnyProblem, 80));
        Assert.Null(AppCheck.ForUnreachableAgent(Sample.AnyProblem));
        Assert.Equal(CheckOutcome.Skipped, AppCheck.ForUnreachableAgent(Sample.AnyProblem with { Kind = ProblemCatalog.NotRunning })!.Outcome);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(SocketError.AddressFamilyNotSupported)]
    [InlineData(SocketError.AddressNotAvailable)]
    public async Task On_a_machine_without_ipv6_the_other_family_is_tried(SocketError why)
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        Assert.Equal(CheckOutcome.Ok, (await WithoutIpv6Async(why, FreePort.Find())).Outcome);
        taken.Start();
        Assert.Equal("listen-port-taken", (await WithoutIpv6Async(why, ((IPEndPoint)taken.LocalEndpoint).Port)).Code);
    }

    private static async Task<CheckResult> WithoutIpv6Async(SocketError why, int port)
    {
        using var nobody = new ControlSocket("/nowhere");
        var check = new PortCheck(new AgentConfig { Image = "app", Listen = new ListenConfig { Http = port } }, nobody)
        {
            CreateSocket = family => family == AddressFamily.InterNetworkV6 ? throw new SocketException((int)why) : new Socket(family, SocketType.Stream, ProtocolType.Tcp),
        };
        return await check.RunAsync(TestContext.Current.CancellationToken);
    }
}
