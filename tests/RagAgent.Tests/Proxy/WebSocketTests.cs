using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Supervision;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>WebSockets, which Streamlit's pages depend on.</summary>
public class WebSocketTests
{
    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_WebSocket_keeps_its_subprotocol_and_counts_as_a_session_while_open()
    {
        await using var app = await TestServer.StartAsync(TestServer.EchoAsync);
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);

        using (var first = await ConnectAsync(frontDoor.Port))
        {
            Assert.Equal("streamlit", first.SubProtocol);
            Assert.Equal("hello", await EchoAsync(first, "hello"));
            await agent.WaitForAsync(state => state.Sessions.Count == 1, TestCancellation);
            using (var second = await ConnectAsync(frontDoor.Port))
            {
                await agent.WaitForAsync(state => state.Sessions.Count == 2, TestCancellation);
                await second.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);
            }
            await agent.WaitForAsync(state => state.Sessions.Count == 1, TestCancellation);
            first.Abort();
        }

        Assert.Equal(0, (await agent.WaitForAsync(state => state.Sessions.Count == 0, TestCancellation)).Sessions.Count);
        Assert.Equal($"streamlit, xsrf, session|http://127.0.0.1:{frontDoor.Port}|127.0.0.1:{frontDoor.Port}",
            string.Join('|', new[] { "Sec-WebSocket-Protocol", "Origin", "Host" }.Select(name => app.Requests[0].Headers[name])));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task When_the_agent_stops_WebSockets_are_closed_at_once_and_a_request_in_flight_still_finishes()
    {
        var finish = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
            context.WebSockets.IsWebSocketRequest ? TestServer.EchoAsync(context) : RespondSlowlyAsync(context, finish.Task));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);
        using var socket = await ConnectAsync(frontDoor.Port);
        Assert.Equal("hello", await EchoAsync(socket, "hello"));
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await BeginSlowRequestAsync(client, frontDoor.Port);

        var stopping = frontDoor.DisposeAsync();

        var closed = await socket.ReceiveAsync(new byte[100], TestCancellation);
        Assert.Equal((WebSocketMessageType.Close, 1012), (closed.MessageType, (int)closed.CloseStatus!));
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        Assert.Equal("begun finished", await response.Content.ReadAsStringAsync(TestCancellation));
        await stopping;
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task When_the_agent_stops_its_sessions_do_not_count_as_closed_so_that_no_update_begins()
    {
        await using var app = await TestServer.StartAsync(TestServer.EchoAsync);
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);
        using var socket = await ConnectAsync(frontDoor.Port);
        await agent.WaitForAsync(state => state.Sessions.Count == 1, TestCancellation);

        await frontDoor.DisposeAsync();

        Assert.Empty(frontDoor.InFlight.Sessions);
        var (revision, _) = agent.Board.Read();
        agent.Supervisor.Post(at => new Event.Tick(at));   // what was posted before it has been handled with it
        Assert.Equal(1, (await agent.Board.WaitAsync(revision, TestCancellation)).State.Sessions.Count);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task When_the_agent_stops_a_WebSocket_whose_client_reads_nothing_ends_too()
    {
        var finish = new TaskCompletionSource();
        await using var app = await TestServer.StartAsync(context =>
            context.WebSockets.IsWebSocketRequest ? FloodAsync(context) : RespondSlowlyAsync(context, finish.Task));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);
        using var socket = await ConnectAsync(frontDoor.Port);
        await agent.WaitForAsync(state => state.Sessions.Count == 1, TestCancellation);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        using var response = await BeginSlowRequestAsync(client, frontDoor.Port);
        var ended = new TaskCompletionSource();
        frontDoor.InFlight.SessionsChanged += _ => ended.TrySetResult();

        var stopping = frontDoor.DisposeAsync();

        await ended.Task.WaitAsync(TestCancellation);
        Assert.Empty(frontDoor.InFlight.Sessions);
        Assert.False(stopping.IsCompleted);
        finish.SetResult();
        await stopping;
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_handshake_that_the_app_refuses_is_no_session()
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(frontDoor.Port));

        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
        await agent.WaitForAsync(state => state.Sessions.Count == 0, TestCancellation);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Plain_requests_are_no_sessions()
    {
        await using var agent = new SupervisorFixture(1);
        var during = -1;
        await using var app = await TestServer.StartAsync(context =>
        {
            during = agent.Board.State.Sessions.Count;
            return Task.CompletedTask;
        });
        await using var frontDoor = await FrontDoorFixture.StartAsync(agent, TestCancellation);
        agent.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(app.Port) });

        using var response = await frontDoor.Client.GetAsync("", TestCancellation);

        Assert.Equal(0, during);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Task<HttpResponseMessage> BeginSlowRequestAsync(HttpClient client, int port) => client.GetAsync(
        new Uri($"http://127.0.0.1:{port}/slow"), HttpCompletionOption.ResponseHeadersRead, TestCancellation);

    private static async Task RespondSlowlyAsync(HttpContext context, Task finish)
    {
        await context.Response.WriteAsync("begun ");
        await context.Response.Body.FlushAsync();
        await finish;
        await context.Response.WriteAsync("finished");
    }

    private static async Task FloodAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        var chunk = new byte[1024 * 1024];
        try
        {
            while (true)
            {
                await socket.SendAsync(chunk, WebSocketMessageType.Binary, endOfMessage: false, context.RequestAborted);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the agent ended the connection, as the test intends
        }
    }

    private static async Task<ClientWebSocket> ConnectAsync(int port)
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        foreach (var protocol in (string[])["streamlit", "xsrf", "session"])
        {
            socket.Options.AddSubProtocol(protocol);
        }
        socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{port}");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/_stcore/stream"), TestCancellation);
        return socket;
    }

    private static async Task<string> EchoAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, TestCancellation);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, TestCancellation);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
