using RagAgent.Proxy.Listening;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Connections never use up the file descriptors that the agent itself needs.</summary>
public sealed class OpenFilesTests
{
    [Theory]
    [InlineData("Max open files            16384                16384                files     ", 4096)]
    [InlineData("Limit  Soft Limit\nMax open files            1024                 524288               files\nMax locked memory 8", 384)]
    [InlineData("Max open files            64                   64                   files", 16)]
    [InlineData("Max open files            unlimited            unlimited            files", 4096)]
    [InlineData("", 4096)]
    public void Every_connection_needs_two_files_next_to_the_agents_reserve(string limits, int connections) =>
        Assert.Equal(connections, ConnectionCapacity.CapConnections(4096, limits));
}
