using CsCheck;
using RagAgent.Containers;
using RagAgent.Supervision.State;
using Xunit;

namespace RagAgent.Tests.Containers;

/// <summary>The kernel's list of TCP sockets, as a program in the container prints it.</summary>
public class ProcNetTcpTests
{
    private const string Header4 =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    private const string Header6 =
        "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    private const string Rest = " 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 100 0 0 10 0";

    [Theory]
    [InlineData("00000000:1F90", 8080, false)]   // 0.0.0.0
    [InlineData("0100007F:2135", 8501, true)]   // 127.0.0.1
    [InlineData("0500007F:2135", 8501, true)]   // 127.0.0.5
    [InlineData("020011AC:2135", 8501, false)]   // 172.17.0.2
    public void A_listening_IPv4_socket_is_found(string address, int port, bool isLoopbackOnly) => Assert.Equal(
        [new ListeningPort(port, isLoopbackOnly)], ProcNetTcp.ListeningPorts($"{Header4}   0: {address} 00000000:0000 0A{Rest}\n"));

    [Theory]
    [InlineData("00000000000000000000000000000000:1F90", 8080, false)]   // ::
    [InlineData("00000000000000000000000001000000:2135", 8501, true)]   // ::1
    [InlineData("0000000000000000FFFF00000100007F:2135", 8501, true)]   // ::ffff:127.0.0.1
    [InlineData("0000000000000000FFFF0000020011AC:2135", 8501, false)]   // ::ffff:172.17.0.2
    public void A_listening_IPv6_socket_is_found(string address, int port, bool isLoopbackOnly) => Assert.Equal(
        [new ListeningPort(port, isLoopbackOnly)],
        ProcNetTcp.ListeningPorts($"{Header6}   0: {address} 00000000000000000000000000000000:0000 0A{Rest}\n"));

    [Fact]
    public void A_port_that_listens_on_loopback_and_elsewhere_is_reachable_and_listed_once() => Assert.Equal(
        [new ListeningPort(80, false), new ListeningPort(8501, false)],
        ProcNetTcp.ListeningPorts(
            $"{Header4}   0: 0100007F:2135 00000000:0000 0A{Rest}\n   1: 00000000:0050 00000000:0000 0A{Rest}\n" +
            $"{Header6}   0: 00000000000000000000000000000000:2135 00000000000000000000000000000000:0000 0A{Rest}\n"));

    [Theory]
    [InlineData("0: 0100007F:2135 0100007F:9999 01")]   // an open connection
    [InlineData("0: 0100007F:2135 0100007F:9999 06")]   // a closed one
    [InlineData("0: 0B00007F:9CF7 00000000:0000 0A")]   // the engine's own name server
    public void A_socket_that_is_not_a_listening_one_of_the_app_is_skipped(string line) =>
        Assert.Empty(ProcNetTcp.ListeningPorts($"{Header4}   {line}{Rest}\n"));

    [Fact]
    public void No_text_is_a_failure() =>
        Gen.String.Array.Sample(words => ProcNetTcp.ListeningPorts(string.Join(' ', words.Append("0: 0100007F:21G5 x 0A rest"))), iter: 2_000);
}
