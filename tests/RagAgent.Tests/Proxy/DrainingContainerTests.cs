using System.Net.WebSockets;
using Microsoft.AspNetCore.Http;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Pages of a draining container still get what only that container has.</summary>
public sealed class DrainingContainerTests : IAsyncLifetime
{
    private const string SessionId = "abc";
    private static readonly byte[] Began = [0x22, 0x07, 0x0A, 0x05, 0x32, 0x03, .. "abc"u8];

    private readonly SupervisorFixture _agent = new();
    private RequestDelegate _answerOfOld = context => RespondAsync(context, 200, "old");
    private RequestDelegate _answerOfNew = context => RespondAsync(context, 404, "new has nothing");
    private TestServer _old = null!;
    private TestServer _new = null!;
    private FrontDoorFixture _frontDoor = null!;

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _old = await TestServer.StartAsync(
            context => context.WebSockets.IsWebSocketRequest ? RunSessionAsync(context) : _answerOfOld(context));
        _new = await TestServer.StartAsync(context => _answerOfNew(context));
        _frontDoor = await FrontDoorFixture.StartAsync(_agent, TestCancellation);
        Publish(Serving("old", _old), candidate: null);
    }

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _agent.DisposeAsync();
        await _new.DisposeAsync();
        await _old.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("GET")]
    [InlineData("HEAD")]
    public async Task A_file_that_only_the_draining_container_has_comes_from_there(string method)
    {
        Swap();
        _answerOfOld = context =>
        {
            context.Response.Headers.ETag = "\"old\"";
            return RespondAsync(context, 206, "old", "image/png");
        };

        using var response = await SendAsync(method, "media/picture.png?a=b");

        Assert.Equal(
            (206, "Partial Content", "\"old\"", "image/png"),
            ((int)response.StatusCode, response.ReasonPhrase, response.Headers.ETag?.Tag, response.Content.Headers.ContentType?.MediaType));
        Assert.Equal(method == "GET" ? "old" : "", await response.Content.ReadAsStringAsync(TestCancellation));
        Assert.Equal($"{method} /media/picture.png?a=b", Assert.Single(_old.Requests).ToString());
        Assert.Single(_new.Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_script_of_the_old_page_comes_from_the_draining_container_though_the_new_one_answers_with_its_page()
    {
        Swap();
        _answerOfNew = context => RespondAsync(context, 200, "<html>", "text/html; charset=utf-8");
        _answerOfOld = context => RespondAsync(context, 200, "script", "text/javascript");

        Assert.Equal("script", await _frontDoor.Client.GetStringAsync("static/js/index.old.js", TestCancellation));
        Assert.Equal("<html>", await _frontDoor.Client.GetStringAsync("page", TestCancellation));
        Assert.Equal("<html>", await _frontDoor.Client.GetStringAsync("app/static/report.html", TestCancellation));
        Assert.Single(_old.Requests);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(404)]
    [InlineData(0)]
    public async Task What_neither_container_has_is_answered_by_the_new_one(int statusOfOld)
    {
        Swap();
        _answerOfOld = context =>
        {
            if (statusOfOld == 0)
            {
                context.Abort();
                return Task.CompletedTask;
            }
            return RespondAsync(context, statusOfOld, "old has nothing");
        };

        using var response = await SendAsync("GET", "media/nothing.png");

        Assert.Equal(
            (404, "Not Found", "new has nothing"),
            ((int)response.StatusCode, response.ReasonPhrase, await response.Content.ReadAsStringAsync(TestCancellation)));
        Assert.Equal(0, await _frontDoor.InFlight.DrainAsync(Container("old", _old), TimeSpan.FromSeconds(30), TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task What_the_new_container_has_or_what_can_not_be_asked_twice_never_goes_to_the_draining_one()
    {
        Swap();

        using var posted = await SendAsync("POST", "form", new StringContent("once"));
        using var put = await SendAsync("PUT", "_stcore/upload_file/unknown/file", new StringContent("once"));
        _answerOfNew = context => RespondAsync(context, 500, "new");
        using var failed = await SendAsync("GET", "media/picture.png");

        Assert.Equal((404, 404, 500), ((int)posted.StatusCode, (int)put.StatusCode, (int)failed.StatusCode));
        Assert.Equal(3, _new.Requests.Count);
        Assert.Empty(_old.Requests);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_draining_container_a_missing_file_is_asked_for_once()
    {
        Publish(Serving("new", _new), candidate: null);

        using var response = await SendAsync("GET", "media/nothing.png");

        Assert.Equal(404, (int)response.StatusCode);
        Assert.Single(_new.Requests);
        Assert.Empty(_old.Requests);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("")]
    [InlineData("rag/")]
    public async Task An_upload_goes_to_the_container_that_has_its_session(string basePath)
    {
        using var session = await OpenSessionAsync();
        Swap();

        using var uploaded = await SendAsync("PUT", $"{basePath}_stcore/upload_file/{SessionId}/file", new StringContent("file"));
        using var deleted = await SendAsync("DELETE", $"{basePath}_stcore/upload_file/{SessionId}/file");
        using var ofAnother = await SendAsync("PUT", $"{basePath}_stcore/upload_file/another/file", new StringContent("file"));
        using var ofNone = await SendAsync("PUT", $"{basePath}_stcore/upload_file/{SessionId}", new StringContent("file"));

        Assert.Equal(
            (200, 200, 404, 404),
            ((int)uploaded.StatusCode, (int)deleted.StatusCode, (int)ofAnother.StatusCode, (int)ofNone.StatusCode));
        Assert.Equal(["file", ""], _old.Requests.Skip(1).Select(request => request.Body));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task When_its_session_has_ended_an_upload_goes_to_the_new_container()
    {
        using (var session = await OpenSessionAsync())
        {
            Swap();
            await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);
        }
        Assert.Equal(0, await _frontDoor.InFlight.DrainAsync(Container("old", _old), TimeSpan.FromSeconds(30), TestCancellation));

        using var response = await SendAsync("PUT", $"_stcore/upload_file/{SessionId}/file", new StringContent("file"));

        Assert.Equal(404, (int)response.StatusCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_drain_waits_for_a_file_that_the_draining_container_is_sending()
    {
        var (asked, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var session = await OpenSessionAsync();
        Swap();
        _answerOfOld = async context =>
        {
            asked.SetResult();
            await goOn.Task;
            await RespondAsync(context, 200, "old");
        };

        var draining = _frontDoor.InFlight.DrainAsync(Container("old", _old), TimeSpan.FromSeconds(30), TestCancellation);
        var download = _frontDoor.Client.GetStringAsync("media/file.bin", TestCancellation);
        await asked.Task.WaitAsync(TestCancellation);
        await session.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);
        Assert.False(draining.IsCompleted);
        goOn.SetResult();

        Assert.Equal("old", await download);
        Assert.Equal(0, await draining);
    }

    private static Container Container(string id, TestServer server) => Sample.Serving(server.Port).Container with { Id = id };

    private static ContainerState.Serving Serving(string id, TestServer server) =>
        Sample.Serving(server.Port) with { Container = Container(id, server) };

    private void Publish(ContainerState.Serving front, ContainerState? candidate) =>
        _agent.Board.Publish(Sample.StateWithoutContainer with { Front = front, Candidate = candidate });

    private void Swap() => Publish(Serving("new", _new), new ContainerState.Draining(1, Container("old", _old)));

    private Task<HttpResponseMessage> SendAsync(string method, string path, HttpContent? content = null) =>
        _frontDoor.Client.SendAsync(
            new HttpRequestMessage(new HttpMethod(method), path) { Content = content }, TestCancellation);

    private static async Task RespondAsync(HttpContext context, int status, string body, string type = "text/plain")
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        await context.Response.WriteAsync(HttpMethods.IsHead(context.Request.Method) ? "" : body);
    }

    /// <summary>Opens a session at the old container, and waits until its ID is known.</summary>
    private async Task<ClientWebSocket> OpenSessionAsync()
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol("streamlit");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_frontDoor.Port}/_stcore/stream"), TestCancellation);
        await socket.ReceiveAsync(new byte[100], TestCancellation);
        return socket;
    }

    private static async Task RunSessionAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync("streamlit");
        await socket.SendAsync(Began, WebSocketMessageType.Binary, true, context.RequestAborted);
        try
        {
            await socket.ReceiveAsync(new byte[100], context.RequestAborted);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, context.RequestAborted);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            return;   // the test is over
        }
    }
}
