using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>A port that systemd activated is open before the agent starts and stays open after it stops.</summary>
public sealed class SocketActivationTests
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_connection_made_without_an_agent_is_answered_by_the_next_one()
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
    public async Task A_connection_accepted_before_the_stop_is_still_answered()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        await using var app = new SupervisorFixture(FreePort.Find(), time);
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var port);
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(
            app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]));
        await frontDoor.StartAsync(stop);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, stop);
        await WaitUntilAcceptedAsync(port, stop);

        var end = frontDoor.StopAsync(stop);
        Assert.False(client.Client.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectRead), "The connection was closed.");
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: app\r\n\r\n"u8.ToArray(), stop);

        using var response = new StreamReader(client.GetStream());
        Assert.Equal("HTTP/1.1 503 Service Unavailable", await response.ReadLineAsync(stop));
        await end;   // although the connection could be reused
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_accepted_but_silent_connection_does_not_delay_the_stop()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        await using var app = new SupervisorFixture(FreePort.Find(), time);
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var port);
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(
            app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]));
        await frontDoor.StartAsync(stop);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, stop);
        await WaitUntilAcceptedAsync(port, stop);

        var end = frontDoor.StopAsync(stop);
        while (!end.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }

        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], stop));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_activated_port_that_is_not_configured_is_ignored_and_logged()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var app = new SupervisorFixture(FreePort.Find());
        await app.StartAsync(stop);
        using var held = CreateHeldSocket(out var other);
        var port = FreePort.Find();
        var messages = new List<string>();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new ListLoggerProvider(messages)));
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(
            app, port, activation: ActivationSockets.FromDescriptors([(int)held.Handle]), loggers: loggers);
        await frontDoor.StartAsync(stop);

        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await browser.GetAsync(new Uri($"http://127.0.0.1:{port}/"), stop);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains(
            messages,
            line => line.StartsWith($"ragagent.socket listens on port {other}, but listen.http is {port}", StringComparison.Ordinal));
        await frontDoor.StopAsync(stop);
    }

    [Theory]
    [InlineData("7", "2", new[] { 3, 4 })]
    [InlineData("8", "2", new int[0])]   // for a parent process
    [InlineData(null, "2", new int[0])]
    [InlineData("7", null, new int[0])]
    [InlineData("7", "-1", new int[0])]
    [InlineData("7", "many", new int[0])]
    public void Descriptors_are_taken_only_if_they_are_meant_for_this_process(string? listenPid, string? listenFds, int[] descriptors) =>
        Assert.Equal(descriptors, ActivationSockets.ParseDescriptors(listenPid, listenFds, processId: 7));

    [Fact]
    public void Descriptors_that_are_no_TCP_sockets_are_ignored()
    {
        using var file = File.OpenHandle("/dev/null");
        using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        datagrams.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Assert.Empty(ActivationSockets.FromDescriptors([(int)file.DangerousGetHandle(), (int)datagrams.Handle]).Ports);
    }

    /// <summary>The kernel shows the inode of a connection once it is accepted.</summary>
    private static async Task WaitUntilAcceptedAsync(int port, CancellationToken stopping)
    {
        while (!(await File.ReadAllLinesAsync("/proc/net/tcp6", stopping)).Skip(1).Any(IsAccepted))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, stopping);
        }

        bool IsAccepted(string line) =>
            line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, _, "01", _, _, _, _, _, var inode, ..] &&
            local.EndsWith($":{port:X4}", StringComparison.Ordinal) && inode != "0";
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
