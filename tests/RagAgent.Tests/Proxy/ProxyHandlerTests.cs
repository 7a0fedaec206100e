using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

public sealed class ProxyHandlerTests : IAsyncLifetime
{
    // More than any buffer on the way holds.
    private const int ChunkSize = 200_000;
    private readonly SupervisorFixture _supervisor = new();
    private FrontDoorFixture _frontDoor = null!;

    public async ValueTask InitializeAsync() => _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _supervisor.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]
    [InlineData("application/json;q=0.2, TEXT/HTML")]
    public async Task While_the_app_does_not_serve_a_browser_gets_the_status_page(string accept)
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer);

        using var response = await SendAsync(HttpMethod.Get, accept);

        Assert.Equal((503, "text/html; charset=utf-8"), ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString()));
        Assert.Equal((TimeSpan.FromSeconds(5), true), (response.Headers.RetryAfter?.Delta, response.Headers.CacheControl?.NoStore));
        Assert.Equal(
            ("nosniff", "no-referrer", "Accept"),
            (Header(response, "X-Content-Type-Options"), Header(response, "Referrer-Policy"), Header(response, "Vary")));
        Assert.StartsWith("default-src 'none'; ", Header(response, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Server"));
        Assert.Contains(
            "Looking for the newest version.", await response.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task During_an_instance_stop_page_loads_get_the_status_page_and_other_requests_the_app()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("app"));
        _supervisor.Board.Publish(
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(app.Port),
                InstanceStop = Sample.Loaded(new StopAccepted("i-1", Moment.Zero)),
            });

        using var pageLoad = await SendAsync(HttpMethod.Get, "text/html");
        using var request = await SendAsync(HttpMethod.Get, "*/*");

        Assert.Equal((503, TimeSpan.FromSeconds(30)), ((int)pageLoad.StatusCode, pageLoad.Headers.RetryAfter?.Delta));
        Assert.Contains(
            "This machine is shutting down.", await pageLoad.Content.ReadAsStringAsync(TestCancellation), StringComparison.Ordinal);
        Assert.Equal((200, "app"), ((int)request.StatusCode, await request.Content.ReadAsStringAsync(TestCancellation)));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("GET", null)]
    [InlineData("GET", "*/*")]   // curl, and requests from a page's scripts
    [InlineData("GET", "image/avif,image/webp,*/*;q=0.8")]
    [InlineData("GET", "text/html;q=0")]
    [InlineData("GET", "no/such thing,,;")]
    [InlineData("POST", "text/html")]
    [InlineData("OPTIONS", "*/*")]
    public async Task A_client_that_does_not_accept_HTML_gets_one_line_of_JSON(string method, string? accept)
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer);

        using var response = await SendAsync(new HttpMethod(method), accept);

        Assert.Equal((503, "application/json"), ((int)response.StatusCode, response.Content.Headers.ContentType?.ToString()));
        Assert.Equal((TimeSpan.FromSeconds(5), true), (response.Headers.RetryAfter?.Delta, response.Headers.CacheControl?.NoStore));
        Assert.Equal(
            FrontDoorFixture.JsonReply("starting", "Looking for the newest version."),
            await response.Content.ReadAsStringAsync(TestCancellation));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("text/html")]
    [InlineData("*/*")]
    public async Task HEAD_gets_the_same_headers_as_GET_and_no_body(string accept)
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer);

        using var whole = await SendAsync(HttpMethod.Get, accept);
        using var head = await SendAsync(HttpMethod.Head, accept);

        Assert.Equal(
            (whole.StatusCode, whole.Content.Headers.ContentType, whole.Content.Headers.ContentLength),
            (head.StatusCode, head.Content.Headers.ContentType, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task With_full_details_the_response_contains_the_operators_sentence()
    {
        await using var frontDoor = await FrontDoorFixture.StartAsync(
            _supervisor, TestCancellation, new AgentConfig { Image = "app", Page = new PageConfig { Details = PageDetails.Full } });
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Tag = Sample.LoadFailed<Resolution>(Sample.AnyProblem) });

        Assert.Equal(
            FrontDoorFixture.JsonReply("failing", "It went wrong. Do this."),
            await (await frontDoor.Client.GetAsync("", TestCancellation)).Content.ReadAsStringAsync(TestCancellation));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("_ragagent", 404)]
    [InlineData("_ragagent/", 404)]
    [InlineData("_ragagent/status", 404)]
    [InlineData("_ragagent/events/x", 404)]
    [InlineData("%5fragagent/v1/status", 404)]
    [InlineData("_ragagentx", 200)]
    [InlineData("x/_ragagent/events", 200)]
    [InlineData("_RAGAGENT/events", 200)]
    public async Task The_agents_own_paths_answer_404_and_all_others_belong_to_the_app(string path, int status)
    {
        await using var app = await ServeAsync(context => context.Response.WriteAsync("from the app"));

        using var response = await _frontDoor.Client.GetAsync(path, TestCancellation);

        Assert.Equal(
            (status, status == 200 ? "from the app" : ""),
            ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
        Assert.Equal(status == 200 ? 1 : 0, app.Requests.Count);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_client_that_disconnects_causes_no_error()
    {
        var (asked, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        var messages = new List<string>();
        using var loggers = new LoggerFactory([new ListLoggerProvider(messages, LogLevel.Error)]);
        await using var frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation, loggers: loggers);
        await using var app = await ServeAsync(async context =>
        {
            asked.SetResult();
            await TestServer.HangAsync(context);
            left.SetResult();
        });
        using var disconnect = CancellationTokenSource.CreateLinkedTokenSource(TestCancellation);

        var going = frontDoor.Client.GetAsync("", disconnect.Token);
        await asked.Task.WaitAsync(TestCancellation);
        await disconnect.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => going);
        await left.Task.WaitAsync(TestCancellation);   // the app notices
        Assert.Equal(0, await frontDoor.InFlight.DrainAsync(Sample.Container(), Timeout.InfiniteTimeSpan, TestCancellation));

        await frontDoor.DisposeAsync();
        Assert.Empty(messages);
        Assert.IsType<ContainerState.Serving>(_supervisor.Board.State.Front);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Requests_and_responses_pass_unchanged()
    {
        await using var app = await ServeAsync(context =>
        {
            context.Response.StatusCode = 418;
            context.Response.Headers["X-App"] = "yes";
            context.Response.Headers.Append("Set-Cookie", "a=1");
            return context.Response.WriteAsync("from the app");
        });

        using var response = await _frontDoor.Client.PutAsync("a%20b/c?d=e&f", new StringContent("body"), TestCancellation);

        Assert.Equal(
            (418, "from the app", "yes", "a=1"),
            (
                (int)response.StatusCode,
                await response.Content.ReadAsStringAsync(TestCancellation),
                Header(response, "X-App"),
                Header(response, "Set-Cookie")));
        var arrived = Assert.Single(app.Requests);
        Assert.Equal(("PUT", "/a%20b/c?d=e&f", "body"), (arrived.Method, arrived.Path, arrived.Body));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_app_sees_the_host_that_the_client_asked_for()
    {
        await using var app = await ServeAsync(_ => Task.CompletedTask);
        using var request = new HttpRequestMessage(HttpMethod.Get, "") { Headers = { Host = "rag.example.com:8080" } };

        using var response = await _frontDoor.Client.SendAsync(request, TestCancellation);

        Assert.Equal("rag.example.com:8080", Assert.Single(app.Requests).Headers["Host"]);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_agent_sets_the_forwarding_headers_and_removes_forged_ones()
    {
        await using var app = await ServeAsync(_ => Task.CompletedTask);
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.Headers.Host = "rag.example.com";
        string[] names =
        [
            "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP",
        ];
        foreach (var name in names)
        {
            request.Headers.TryAddWithoutValidation(name, "forged");
        }

        using var response = await _frontDoor.Client.SendAsync(request, TestCancellation);

        var headers = Assert.Single(app.Requests).Headers;
        Assert.Equal(
            ("127.0.0.1", "http", "rag.example.com"),
            (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"], headers["X-Forwarded-Host"]));
        Assert.DoesNotContain("forged", headers.Values);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_download_is_streamed()
    {
        var goOn = new TaskCompletionSource();
        await using var app = await ServeAsync(async context =>
        {
            await context.Response.WriteAsync("first");
            await context.Response.Body.FlushAsync();
            await goOn.Task;
            await context.Response.WriteAsync(" second");
        });

        using var response = await _frontDoor.Client.GetAsync("", HttpCompletionOption.ResponseHeadersRead, TestCancellation);
        await using var body = await response.Content.ReadAsStreamAsync(TestCancellation);
        var first = new byte[5];
        await body.ReadExactlyAsync(first, TestCancellation);
        Assert.Equal("first"u8.ToArray(), first);
        goOn.SetResult();
        using var rest = new StreamReader(body);
        Assert.Equal(" second", await rest.ReadToEndAsync(TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_upload_is_streamed()
    {
        var seen = new TaskCompletionSource();
        await using var app = await ServeAsync(async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[ChunkSize / 2]);
            seen.SetResult();
            using var rest = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync($"got {(await rest.ReadToEndAsync()).Length}");
        }, record: false);

        using var content = new StreamedContent(async stream =>
        {
            await stream.WriteAsync(new byte[ChunkSize], TestCancellation);
            await stream.FlushAsync(TestCancellation);
            await seen.Task.WaitAsync(TestCancellation);
            await stream.WriteAsync(new byte[ChunkSize], TestCancellation);
        });
        using var response = await _frontDoor.Client.PostAsync("", content, TestCancellation);

        Assert.Equal($"got {ChunkSize * 3 / 2}", await response.Content.ReadAsStringAsync(TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_refused_connection_to_the_app_answers_503()
    {
        var app = await ServeAsync(_ => Task.CompletedTask);
        await app.DisposeAsync();

        await AssertUnavailableAsync(await _frontDoor.Client.GetAsync("", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_app_that_closes_the_connection_before_it_answers_gives_503()
    {
        await using var app = await ServeAsync(context =>
        {
            context.Abort();
            return Task.CompletedTask;
        });

        await AssertUnavailableAsync(await _frontDoor.Client.GetAsync("", TestCancellation));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("POST", "")]
    [InlineData("POST", "Content-Length: 0\r\n")]
    [InlineData("PUT", "")]
    [InlineData("PATCH", "")]
    [InlineData("DELETE", "")]
    public async Task A_request_that_the_app_may_have_acted_on_is_sent_once(string method, string more)
    {
        await using var app = new RawHttpServer { Response = null };
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(app.Port) });

        var response = await RawHttpClient.ExchangeAsync(
            _frontDoor.Port, $"{method} /_stcore/upload_file/1 HTTP/1.1\r\nHost: app\r\n{more}Connection: close\r\n\r\n", TestCancellation);

        Assert.Equal("503", RawHttpClient.StatusCodes(response));
        Assert.Equal($"{method} /_stcore/upload_file/1 HTTP/1.1", Assert.Single(app.Requests).Line);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_app_that_closes_the_connection_during_an_upload_gives_503()
    {
        var gone = new TaskCompletionSource();
        await using var app = await ServeAsync(async context =>
        {
            await context.Request.Body.ReadExactlyAsync(new byte[ChunkSize / 2]);
            context.Abort();
            gone.SetResult();
        }, record: false);

        using var content = new StreamedContent(async stream =>
        {
            await stream.WriteAsync(new byte[ChunkSize], TestCancellation);
            await stream.FlushAsync(TestCancellation);
            await gone.Task.WaitAsync(TestCancellation);
            await stream.WriteAsync(new byte[ChunkSize], TestCancellation);
        });
        await AssertUnavailableAsync(await _frontDoor.Client.PostAsync("", content, TestCancellation));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private async Task<TestServer> ServeAsync(RequestDelegate response, bool record = true)
    {
        var app = await TestServer.StartAsync(response, record);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(app.Port) });
        return app;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string? accept)
    {
        using var request = new HttpRequestMessage(method, "any/page");
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        return await _frontDoor.Client.SendAsync(request, TestCancellation);
    }

    private static string Header(HttpResponseMessage response, string name) => string.Join(',', response.Headers.GetValues(name));

    private static async Task AssertUnavailableAsync(HttpResponseMessage response)
    {
        using (response)
        {
            Assert.Equal(
                (503, FrontDoorFixture.JsonReply("unreachable", "The app is not responding right now.")),
                ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestCancellation)));
            Assert.NotNull(response.Headers.RetryAfter);
        }
    }

    private sealed class StreamedContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
