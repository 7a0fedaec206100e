using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

public class FrontDoorTests
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_taken_port_is_reported_and_retried()
    {
        var stop = TestContext.Current.CancellationToken;
        var time = new FakeTimeProvider();
        await using var agent = new SupervisorFixture(FreePort.Find(), time);
        await agent.StartAsync(stop);
        var port = FreePort.Find();
        var other = new TcpListener(IPAddress.IPv6Any, port);
        other.Server.DualMode = true;
        other.Start();
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(agent, port);

        await frontDoor.StartAsync(stop);
        var closed = await agent.WaitForAsync(state => state.FrontDoor.Problem is not null, stop);
        Assert.False(closed.FrontDoor.IsOpen);
        Assert.Equal(
            new Problem(ProblemCatalog.ListenPortTaken, $"The front door can't open port {port}: another program uses it.",
                $"Find it with 'ss -ltnp sport = :{port}' and stop it, or set listen.http in the configuration. The agent tries again every 5s."),
            closed.FrontDoor.Problem);

        other.Stop();
        while (!agent.Board.State.FrontDoor.IsOpen)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            stop.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        // The agent's own path, because no app listens here, and a request to it would wait for a second on a clock that stands still.
        using var response = await browser.GetAsync(new Uri($"http://127.0.0.1:{port}/_ragagent/nothing"), stop);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        await frontDoor.StopAsync(stop);
    }
}
