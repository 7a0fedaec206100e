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

/// <summary>The check of the front door's ports, without a running agent.</summary>
public sealed class PortCheckTests
{
    private static readonly Problem Denied = new(
        ProblemCatalog.ControlDenied, "This user may not query the agent.", "Use sudo.");

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
    public void The_socket_unit_holds_a_port_if_it_is_active_and_listens_on_it(string? unit, bool holds) =>
        Assert.Equal(holds, PortCheck.IsHeldBySocketUnit(unit is null ? null : Systemctl.ParseProperties(unit), 80));

    [Fact]
    public void All_ports_of_the_socket_unit_are_found() =>
        Assert.Equal(
            [80, 443],
            PortCheck.ListeningPorts(Systemctl.ParseProperties("ActiveState=active\nListen=[::]:80 (Stream)\nListen=[::]:443 (Stream)\n")));

    [Fact]
    public void A_user_who_may_not_query_the_agent_gets_skipped_checks()
    {
        Assert.Equal(
            CheckResult.Skipped(
                "Only users allowed to query the agent can see whether it uses port 80. " +
                "This user may not query the agent. Use sudo."),
            PortCheck.ForUnreachableAgent(Denied, 80));
        Assert.Equal(
            CheckResult.Skipped(
                "The app's status is visible only to users allowed to query the agent. " +
                "This user may not query the agent. Use sudo."),
            AppCheck.ForUnreachableAgent(Denied));
    }

    [Fact]
    public void Without_an_agent_the_port_check_still_runs_and_the_app_check_is_skipped()
    {
        Assert.Null(PortCheck.ForUnreachableAgent(Sample.AnyProblem, 80));
        Assert.Null(AppCheck.ForUnreachableAgent(Sample.AnyProblem));
        Assert.Equal(
            CheckOutcome.Skipped,
            AppCheck.ForUnreachableAgent(Sample.AnyProblem with { Kind = ProblemCatalog.NotRunning })!.Outcome);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(SocketError.AddressFamilyNotSupported)]
    [InlineData(SocketError.AddressNotAvailable)]
    public async Task Without_IPv6_the_port_is_tested_with_IPv4(SocketError error)
    {
        using var taken = new TcpListener(IPAddress.Any, 0);
        Assert.Equal(CheckOutcome.Ok, (await WithoutIpv6Async(error, FreePort.Find())).Outcome);
        taken.Start();
        Assert.Equal("listen-port-taken", (await WithoutIpv6Async(error, ((IPEndPoint)taken.LocalEndpoint).Port)).Code);
    }

    private static async Task<CheckResult> WithoutIpv6Async(SocketError error, int port)
    {
        using var controlSocket = new ControlSocketLock("/nowhere");
        var check = new PortCheck(new AgentConfig { Image = "app", Listen = new ListenConfig { Http = port } }, controlSocket)
        {
            CreateSocket = family => family == AddressFamily.InterNetworkV6
                ? throw new SocketException((int)error)
                : new Socket(family, SocketType.Stream, ProtocolType.Tcp),
        };
        return await check.RunAsync(TestContext.Current.CancellationToken);
    }
}
