using System.Net.Sockets;
using System.Text;
using RagAgent.Control;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Control;

/// <summary>Only a complete answer of the control socket counts as a heartbeat.</summary>
public sealed class ControlHeartbeatTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ragagent-heartbeat-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{ \"version\": ")]
    [InlineData("HTTP/1.1 2")]
    [InlineData("")]
    public async Task A_truncated_answer_is_neither_a_heartbeat_nor_an_exception(string answer)
    {
        using var address = new ControlSocketLock(_folder.FullName);
        using var agent = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        agent.Bind(new UnixDomainSocketEndPoint(address.SocketPath));
        agent.Listen();
        using var heartbeat = new ControlSocketHeartbeat(address, new ImmediateTimeProvider(TimeSpan.FromSeconds(2)));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);

        var beat = heartbeat.BeatAsync(end.Token);
        for (var asked = 0; asked < 3; asked++)
        {
            using var call = await agent.AcceptAsync(end.Token);
            await call.ReceiveAsync(new byte[4096], end.Token);
            await call.SendAsync(Encoding.ASCII.GetBytes(answer), end.Token);
        }

        Assert.False(beat.IsCompleted);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => beat);
    }
}
