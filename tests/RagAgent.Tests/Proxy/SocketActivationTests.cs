using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>A port that systemd holds is open before the agent is there and stays so when it goes.</summary>
public sealed class SocketActivationTests
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_comes_while_there_is_no_agent_is_answered_by_the_next_one()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var app = new SupervisorFixture(FreePort.Find());
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var port);
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var activation = ActivationSockets.FromDescriptors([(int)held.Handle]);

        for (var agent = 1; agent <= 3; agent++)
        {
            var early = browser.GetAsync(new Uri($"http://127.0.0.1:{port}/"), stop);
            using var frontDoor = FrontDoorFixture.CreateFrontDoor(app, port, activation: activation);
            await frontDoor.StartAsync(stop);
            using var response = await early;
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            await frontDoor.StopAsync(stop);
        }
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_was_let_in_before_the_end_and_asks_after_it_is_answered()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        await using var app = new SupervisorFixture(FreePort.Find(), time);
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var port);
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]));
        await frontDoor.StartAsync(stop);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(IPAddress.Loopback, port, stop);
        await WaitUntilAcceptedAsync(port, stop);

        var end = frontDoor.StopAsync(stop);
        Assert.False(visitor.Client.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectRead), "The visitor was sent away.");
        await visitor.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray(), stop);

        using var response = new StreamReader(visitor.GetStream());
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await response.ReadLineAsync(stop));
        await end;   // though the connection could be used again
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_was_let_in_and_says_nothing_does_not_hold_up_the_end()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        await using var app = new SupervisorFixture(FreePort.Find(), time);
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var port);
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]));
        await frontDoor.StartAsync(stop);
        using var visitor = new TcpClient();
        await visitor.ConnectAsync(IPAddress.Loopback, port, stop);
        await WaitUntilAcceptedAsync(port, stop);

        var end = frontDoor.StopAsync(stop);
        while (!end.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(0, await visitor.GetStream().ReadAsync(new byte[1], stop));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task One_for_another_port_than_the_configurations_is_left_alone_and_told()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var app = new SupervisorFixture(FreePort.Find());
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var other);
        var port = FreePort.Find();
        var messages = new List<string>();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new ListLoggerProvider(messages)));
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]), loggers: loggers);
        await frontDoor.StartAsync(stop);

        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await browser.GetAsync(new Uri($"http://127.0.0.1:{port}/"), stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains(messages, line => line.StartsWith($"ragagent.socket listens on port {other}, but listen.http is {port}", StringComparison.Ordinal));
        await frontDoor.StopAsync(stop);
    }

    [Theory]
    [InlineData("7", "2", new[] { 3, 4 })]
    [InlineData("8", "2", new int[0])]   // a parent's
    [InlineData(null, "2", new int[0])]
    [InlineData("7", null, new int[0])]
    [InlineData("7", "-1", new int[0])]
    [InlineData("7", "many", new int[0])]
    public void What_is_handed_over_is_taken_when_it_is_meant_for_this_process(string? of, string? count, int[] descriptors) =>
        Assert.Equal(descriptors, ActivationSockets.ParseDescriptors(of, count, processId: 7));

    [Fact]
    public void What_is_no_listening_socket_is_not_taken()
    {
        using var file = File.OpenHandle("/dev/null");
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Empty(ActivationSockets.FromDescriptors([(int)file.DangerousGetHandle(), (int)datagrams.Handle]).Ports);
    }

    /// <summary>The kernel knows whose a connection is once it is accepted.</summary>
    private static async Task WaitUntilAcceptedAsync(int port, CancellationToken stopping)
    {
        static string[] Fields(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        while (!(await File.ReadAllLinesAsync("/proc/net/tcp6", stopping)).Skip(1).Select(Fields)
            .Any(field => field is [_, var local, _, "01", _, _, _, _, _, var inode, ..] && local.EndsWith($":{port:X4}", StringComparison.Ordinal) && inode != "0"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, stopping);
        }
    }

    private static Socket CreateHeldSocket(out int port)
    {
        var held = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        held.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        held.Listen();
        port = ((IPEndPoint)held.LocalEndPoint!).Port;
        return held;
    }
}
