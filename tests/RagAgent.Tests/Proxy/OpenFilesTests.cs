using RagAgent.Proxy.Listening;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Visitors never use up the files that the agent needs itself.</summary>
public sealed class OpenFilesTests
{
    [Theory]
    [InlineData("Max open files            16384                16384                files     ", 4096)]
    [InlineData("Limit  Soft Limit\nMax open files            1024                 524288               files\nMax locked memory 8", 384)]
    [InlineData("Max open files            64                   64                   files", 16)]
    [InlineData("Max open files            unlimited            unlimited            files", 4096)]
    [InlineData("", 4096)]
    public void There_is_room_for_two_files_a_visitor_beside_the_agents_own(string limits, int connections) => Assert.Equal(connections, FileDescriptorLimit.CapConnections(4096, limits));
}
