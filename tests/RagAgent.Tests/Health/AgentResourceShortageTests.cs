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
    public void What_the_agent_is_short_of_is_found_however_deep_it_lies(SocketError error, string lack)
    {
        var socket = new SocketException((int)error);

        Assert.Equal(lack, AgentResourceShortage.Find(socket));
        Assert.Equal(lack, AgentResourceShortage.Find(new HttpRequestException("It failed.", socket)));
        Assert.Equal(lack, AgentResourceShortage.Find(new WebSocketException("It failed.", new HttpRequestException("It failed.", socket))));
    }

    [Theory]
    [InlineData(24, "no file descriptor is free")]
    [InlineData(23, "no file descriptor is free")]
    [InlineData(12, "memory is short")]
    public void Also_where_the_kernels_own_number_is_kept(int number, string lack) => Assert.Equal(lack, AgentResourceShortage.Find(new HttpRequestException("It failed.", new IOException("It failed.", number))));

    [Fact]
    public void Memory_that_is_short_is_the_agents() => Assert.Equal("memory is short", AgentResourceShortage.Find(new HttpRequestException("It failed.", new InsufficientMemoryException())));

    [Theory]
    [InlineData(SocketError.ConnectionRefused)]
    [InlineData(SocketError.ConnectionReset)]
    [InlineData(SocketError.TimedOut)]
    [InlineData(SocketError.HostUnreachable)]
    public void What_the_other_side_did_is_none(SocketError error) => Assert.Null(AgentResourceShortage.Find(new HttpRequestException("It failed.", new SocketException((int)error))));

    [Fact]
    public void Nor_is_an_answer_that_is_cut() => Assert.Null(AgentResourceShortage.Find(new HttpRequestException("It failed.", new IOException("It ended."))));
}
