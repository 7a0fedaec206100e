using System.Net.WebSockets;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;
using RagAgent.Proxy.Forwarding;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What happens to open sessions when their container is replaced.</summary>
public sealed class ConnectionDrainTests : IAsyncLifetime
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    // Messages as Streamlit and its page send them.
    private static readonly byte[] Rerun = [0x5A, 0x00];
    private static readonly byte[] Began = [0x22, 0x07, 0x0A, 0x05, 0x32, 0x03, .. "abc"u8];
    private static readonly byte[] Finished = [0x30, 0x00];
    private static readonly byte[] ScriptIsRunning = [0x4A, 0x02, 0x10, 0x01];

    private readonly SupervisorFixture _agent = new();
    private readonly List<WebSocket> _atApp = [];
    private readonly Channel<WebSocket> _accepted = Channel.CreateUnbounded<WebSocket>();
    private readonly SemaphoreSlim _closedAtApp = new(0);
    private string _subProtocol = "streamlit";
    private TestServer _app = null!;
    private FrontDoorFixture _frontDoor = null!;
    private Container _container = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _app = await TestServer.StartAsync(RunSessionAsync, record: false);
        _frontDoor = await FrontDoorFixture.StartAsync(_agent, TestCancellation);
        var serving = Sample.Serving(_app.Port);
        _container = serving.Container;
        _agent.Board.Publish(Sample.StateWithoutContainer with { Front = serving });
    }

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _agent.DisposeAsync();
        await _app.DisposeAsync();
        _closedAtApp.Dispose();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_session_that_nobody_uses_is_moved_at_once_and_its_page_told_to_run_the_script()
    {
        using var session = await UseAsync();

        var left = await Drain(idleAfter: TimeSpan.Zero).DrainAsync(_container, Long, TestCancellation);

        Assert.Equal(0, left);
        Assert.Equal([ScriptIsRunning], await ReadToCloseAsync(session));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_session_in_use_keeps_its_container_until_the_drain_ends_and_its_page_what_it_shows()
    {
        using var session = await UseAsync();

        var draining = Drain(idleAfter: Never).DrainAsync(_container, TimeSpan.FromMilliseconds(500), TestCancellation);
        await RunAsync(session);
        Assert.False(draining.IsCompleted);

        Assert.Equal(1, await draining);
        Assert.Empty(await ReadToCloseAsync(session));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_session_that_is_no_longer_used_is_moved_during_the_drain()
    {
        using var session = await UseAsync();

        var left = await Drain(idleAfter: TimeSpan.FromMilliseconds(300)).DrainAsync(_container, Long, TestCancellation);

        Assert.Equal(0, left);
        Assert.Equal([ScriptIsRunning], await ReadToCloseAsync(session));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Before_a_stop_every_session_is_moved_and_only_those_that_nobody_uses_run_the_script()
    {
        using var first = await UseAsync();
        await Drain(idleAfter: Never).MoveSessionsAsync(_container, TestCancellation);
        Assert.Empty(await ReadToCloseAsync(first));

        using var second = await UseAsync();
        await Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(_container, TestCancellation);
        Assert.Equal([ScriptIsRunning], await ReadToCloseAsync(second));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_moved_session_ends_at_the_app_as_if_its_page_had_closed_it()
    {
        using var session = await UseAsync();

        var moving = Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(_container, TestCancellation);
        await ReadToCloseAsync(session);
        await session.CloseOutputAsync((WebSocketCloseStatus)1012, null, TestCancellation);
        await moving;

        await _closedAtApp.WaitAsync(TestCancellation);
        Assert.Equal(1012, (int?)Assert.Single(_atApp).CloseStatus);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task In_the_middle_of_a_message_a_session_is_only_closed()
    {
        using var session = await UseAsync();
        await Assert.Single(_atApp).SendAsync(new byte[10], WebSocketMessageType.Binary, endOfMessage: false, TestCancellation);
        await session.ReceiveAsync(new byte[100], TestCancellation);

        await Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(_container, TestCancellation);

        Assert.Empty(await ReadToCloseAsync(session));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_page_that_does_not_read_holds_up_nothing()
    {
        using var idle = await UseAsync();
        using var deaf = await UseAsync();
        // More than all buffers on the way take.
        var flooding = _atApp[^1].SendAsync(new byte[100_000_000], WebSocketMessageType.Binary, endOfMessage: true, TestCancellation);

        await Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(_container, TestCancellation);

        Assert.Equal([ScriptIsRunning], await ReadToCloseAsync(idle));
        Assert.Equal(0, await _frontDoor.InFlight.DrainAsync(_container, Long, TestCancellation));
        await Record.ExceptionAsync(() => flooding);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_WebSocket_that_is_not_Streamlits_is_left_alone()
    {
        _subProtocol = "chat";
        using var socket = await ConnectAsync();

        var left = await Drain(idleAfter: TimeSpan.Zero).DrainAsync(_container, TimeSpan.FromMilliseconds(100), TestCancellation);
        await Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(_container, TestCancellation);

        Assert.Equal(1, left);
        await Assert.Single(_atApp).SendAsync(Finished, WebSocketMessageType.Binary, true, TestCancellation);
        Assert.Equal(Finished, await ReceiveAsync(socket));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Sessions_of_other_containers_are_left_alone()
    {
        using var session = await UseAsync();
        var other = _container with { Id = "fedcba9876543210" };

        Assert.Equal(0, await Drain(idleAfter: TimeSpan.Zero).DrainAsync(other, Long, TestCancellation));
        await Drain(idleAfter: TimeSpan.Zero).MoveSessionsAsync(other, TestCancellation);

        await RunAsync(session);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Many_idle_sessions_are_moved_over_some_seconds_so_that_their_scripts_do_not_run_all_at_once()
    {
        var sessions = new List<ClientWebSocket>();
        for (var i = 0; i < 25; i++)
        {
            sessions.Add(await UseAsync());
        }

        var draining = Drain(idleAfter: TimeSpan.Zero).DrainAsync(_container, Long, TestCancellation);
        for (var i = 0; i < 20; i++)
        {
            await ReadToCloseAsync(sessions[i]);
        }
        var stillOpen = sessions[20..].Select(session => session.ReceiveAsync(new byte[100], TestCancellation)).ToArray();

        Assert.DoesNotContain(stillOpen, reading => reading.IsCompleted);
        Assert.All(await Task.WhenAll(stillOpen), received => Assert.Equal(WebSocketMessageType.Binary, received.MessageType));
        Assert.Equal(0, await draining);
        sessions.ForEach(session => session.Dispose());
    }

    private ConnectionDrain Drain(TimeSpan idleAfter) =>
        new(_frontDoor.InFlight, Sample.DefaultPolicy with { IdleAfter = idleAfter }, _agent.Clock);

    /// <summary>Opens a session and runs its script.</summary>
    private async Task<ClientWebSocket> UseAsync()
    {
        var session = await ConnectAsync();
        await RunAsync(session);
        return session;
    }

    private async Task RunAsync(ClientWebSocket session)
    {
        var atApp = _atApp[^1];
        await session.SendAsync(Rerun, WebSocketMessageType.Binary, true, TestCancellation);
        Assert.Equal(Began, await ReceiveAsync(session));
        await atApp.SendAsync(Finished, WebSocketMessageType.Binary, true, TestCancellation);
        Assert.Equal(Finished, await ReceiveAsync(session));
    }

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol(_subProtocol);
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_frontDoor.Port}/_stcore/stream"), TestCancellation);
        _atApp.Add(await _accepted.Reader.ReadAsync(TestCancellation));
        return socket;
    }

    private static async Task<byte[]> ReceiveAsync(ClientWebSocket session)
    {
        var buffer = new byte[100];
        var received = await session.ReceiveAsync(buffer, TestCancellation);
        Assert.Equal(WebSocketMessageType.Binary, received.MessageType);
        return buffer[..received.Count];
    }

    /// <summary>The messages until the session is closed with 1012.</summary>
    private static async Task<List<byte[]>> ReadToCloseAsync(ClientWebSocket session)
    {
        var messages = new List<byte[]>();
        var buffer = new byte[100];
        while (true)
        {
            var received = await session.ReceiveAsync(buffer, TestCancellation);
            if (received.MessageType == WebSocketMessageType.Close)
            {
                Assert.Equal(1012, (int?)received.CloseStatus);
                return messages;
            }
            messages.Add(buffer[..received.Count]);
        }
    }

    /// <summary>Answers each message of a page with the beginning of a run.</summary>
    private async Task RunSessionAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(_subProtocol);
        _accepted.Writer.TryWrite(socket);
        try
        {
            while ((await socket.ReceiveAsync(new byte[100], context.RequestAborted)).MessageType != WebSocketMessageType.Close)
            {
                await socket.SendAsync(Began, WebSocketMessageType.Binary, true, context.RequestAborted);
            }
            _closedAtApp.Release();
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the agent ended the connection, as the test intends
        }
    }
}
