using System.Net.Sockets;
using System.Net.WebSockets;
using RagAgent.Health;
using Xunit;

namespace RagAgent.Tests.Health;

public class AgentResourceShortageTests
{
    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, "no file descriptor is free")]
    [InlineData(SocketError.AddressNotAvailable, "no local port is free")]
    [InlineData(SocketError.NoBufferSpaceAvailable, "the kernel has no memory for a connection")]
    public void A_shortage_of_the_agent_is_found_at_any_depth_of_inner_exceptions(SocketError error, string shortage)
    {
        var socket = new SocketException((int)error);

        Assert.Equal(shortage, AgentResourceShortage.Find(socket));
        Assert.Equal(shortage, AgentResourceShortage.Find(new HttpRequestException("It failed.", socket)));
        Assert.Equal(
            shortage,
            AgentResourceShortage.Find(new WebSocketException("It failed.", new HttpRequestException("It failed.", socket))));
    }

    [Theory]
    [InlineData(24, "no file descriptor is free")]
    [InlineData(23, "no file descriptor is free")]
    [InlineData(12, "memory is short")]
    public void A_shortage_is_recognized_by_its_errno_value(int number, string shortage) =>
        Assert.Equal(shortage, AgentResourceShortage.Find(new HttpRequestException("It failed.", new IOException("It failed.", number))));

    [Fact]
    public void Insufficient_memory_is_a_shortage_of_the_agent() =>
        Assert.Equal(
            "memory is short",
            AgentResourceShortage.Find(new HttpRequestException("It failed.", new InsufficientMemoryException())));

    [Theory]
    [InlineData(SocketError.ConnectionRefused)]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.TimedOut)]
    [InlineData(SocketError.HostUnreachable)]
    public void A_connection_error_caused_by_the_other_side_is_no_shortage(SocketError error) =>
        Assert.Null(AgentResourceShortage.Find(new HttpRequestException("It failed.", new SocketException((int)error))));

    [Fact]
    public void A_truncated_answer_is_no_shortage() =>
        Assert.Null(AgentResourceShortage.Find(new HttpRequestException("It failed.", new IOException("It ended."))));
}
