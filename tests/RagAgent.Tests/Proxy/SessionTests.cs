using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>WebSockets, by which Streamlit's pages live.</summary>
public class SessionTests
{
    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_WebSocket_goes_through_with_its_sub_protocol_and_is_counted_while_it_is_open()
    {
        await using var app = await TestServer.StartAsync(EchoAsync);
        await using var agent = new SupervisedApp(app.Port);
        await agent.StartAsync(Stop);
        await using var visit = await Visit.AtAsync(agent, Stop);

        using (var first = await ConnectAsync(visit.Port))
        {
            Assert.Equal("streamlit", first.SubProtocol);
            Assert.Equal("hello", await EchoAsync(first, "hello"));
            await agent.UntilAsync(state => state.Sessions == 1, Stop);
            using (var second = await ConnectAsync(visit.Port))
            {
                await agent.UntilAsync(state => state.Sessions == 2, Stop);
                await second.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Stop);
            }
            await agent.UntilAsync(state => state.Sessions == 1, Stop);
            first.Abort();
        }

        Assert.Equal(0, (await agent.UntilAsync(state => state.Sessions == 0, Stop)).Sessions);
        Assert.Equal($"streamlit, xsrf, session|http://127.0.0.1:{visit.Port}|127.0.0.1:{visit.Port}",
            string.Join('|', new[] { "Sec-WebSocket-Protocol", "Origin", "Host" }.Select(name => app.Requests[0].Headers[name])));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_handshake_that_the_app_refuses_is_refused_and_no_session()
    {
        await using var app = await TestServer.StartAsync(call =>
        {
            call.Response.StatusCode = 403;
            return Task.CompletedTask;
        });
        await using var agent = new SupervisedApp(app.Port);
        await agent.StartAsync(Stop);
        await using var visit = await Visit.AtAsync(agent, Stop);

        var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(visit.Port));

        Assert.Contains("403", refused.Message, StringComparison.Ordinal);
        await agent.UntilAsync(state => state.Sessions == 0, Stop);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Plain_requests_are_no_sessions()
    {
        await using var agent = new SupervisedApp(1);
        var during = -1;
        await using var app = await TestServer.StartAsync(call =>
        {
            during = agent.Board.State.Sessions;
            return Task.CompletedTask;
        });
        await using var visit = await Visit.AtAsync(agent, Stop);
        agent.Board.Publish(Told.Idle with { Front = Told.Serving(app.Port) });

        using var answer = await visit.Browser.GetAsync("", Stop);

        Assert.Equal(0, during);
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<ClientWebSocket> ConnectAsync(int port)
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        foreach (var protocol in (string[])["streamlit", "xsrf", "session"])
        {
            socket.Options.AddSubProtocol(protocol);
        }
        socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{port}");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/_stcore/stream"), Stop);
        return socket;
    }

    private static async Task<string> EchoAsync(ClientWebSocket socket, string text)
    {
        await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, Stop);
        var buffer = new byte[100];
        var received = await socket.ReceiveAsync(buffer, Stop);
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    private static async Task EchoAsync(HttpContext call)
    {
        using var socket = await call.WebSockets.AcceptWebSocketAsync("streamlit");
        var buffer = new byte[100];
        try
        {
            for (var got = await socket.ReceiveAsync(buffer, call.RequestAborted); got.MessageType != WebSocketMessageType.Close; got = await socket.ReceiveAsync(buffer, call.RequestAborted))
            {
                await socket.SendAsync(buffer.AsMemory(0, got.Count), got.MessageType, got.EndOfMessage, call.RequestAborted);
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, call.RequestAborted);
        }
        catch (WebSocketException)
        {
            return;   // the visitor left without a word, as the test wants
        }
    }
}
