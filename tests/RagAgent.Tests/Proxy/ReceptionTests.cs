using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

public sealed class ReceptionTests : IAsyncLifetime
{
    // More than any buffer on the way holds back.
    private const int Piece = 200_000;
    private readonly SupervisedApp _agent = new();
    private Visit _visit = null!;

    public async ValueTask InitializeAsync() => _visit = await Visit.AtAsync(_agent, Stop);

    public async ValueTask DisposeAsync()
    {
        await _visit.DisposeAsync();
        await _agent.DisposeAsync();
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")]
    [InlineData("application/json;q=0.2, TEXT/HTML")]
    public async Task While_the_app_does_not_serve_a_browser_gets_the_page(string accept)
    {
        _agent.Board.Publish(Told.Idle);

        using var answer = await AskAsync(HttpMethod.Get, accept);

        Assert.Equal((503, "text/html; charset=utf-8"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        Assert.Equal((TimeSpan.FromSeconds(5), true), (answer.Headers.RetryAfter?.Delta, answer.Headers.CacheControl?.NoStore));
        Assert.Equal(("nosniff", "no-referrer", "Accept"), (Header(answer, "X-Content-Type-Options"), Header(answer, "Referrer-Policy"), Header(answer, "Vary")));
        Assert.StartsWith("default-src 'none'; ", Header(answer, "Content-Security-Policy"), StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Server"));
        Assert.Contains("Looking for the newest version.", await answer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task While_the_machine_is_being_switched_off_who_comes_reads_so_and_who_is_there_goes_on()
    {
        await using var app = await TestServer.StartAsync(call => call.Response.WriteAsync("app"));
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(app.Port), InstanceStop = Told.Known(new StopAccepted("i-1", Moment.Zero)) });

        using var newcomer = await AskAsync(HttpMethod.Get, "text/html");
        using var guest = await AskAsync(HttpMethod.Get, "*/*");

        Assert.Equal((503, TimeSpan.FromSeconds(30)), ((int)newcomer.StatusCode, newcomer.Headers.RetryAfter?.Delta));
        Assert.Contains("This machine is being switched off.", await newcomer.Content.ReadAsStringAsync(Stop), StringComparison.Ordinal);
        Assert.Equal((200, "app"), ((int)guest.StatusCode, await guest.Content.ReadAsStringAsync(Stop)));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("GET", null)]
    [InlineData("GET", "*/*")]   // curl, and what a page's own scripts ask for
    [InlineData("GET", "image/avif,image/webp,*/*;q=0.8")]
    [InlineData("GET", "text/html;q=0")]
    [InlineData("GET", "no/such thing,,;")]
    [InlineData("POST", "text/html")]
    [InlineData("OPTIONS", "*/*")]
    public async Task Who_reads_no_pages_gets_a_line_of_JSON(string method, string? accept)
    {
        _agent.Board.Publish(Told.Idle);

        using var answer = await AskAsync(new HttpMethod(method), accept);

        Assert.Equal((503, "application/json"), ((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString()));
        Assert.Equal((TimeSpan.FromSeconds(5), true), (answer.Headers.RetryAfter?.Delta, answer.Headers.CacheControl?.NoStore));
        Assert.Equal(Visit.Says("starting", "Looking for the newest version."), await answer.Content.ReadAsStringAsync(Stop));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("text/html")]
    [InlineData("*/*")]
    public async Task Who_asks_for_the_head_alone_gets_the_same_head_and_no_body(string accept)
    {
        _agent.Board.Publish(Told.Idle);

        using var whole = await AskAsync(HttpMethod.Get, accept);
        using var head = await AskAsync(HttpMethod.Head, accept);

        Assert.Equal((whole.StatusCode, whole.Content.Headers.ContentType, whole.Content.Headers.ContentLength), (head.StatusCode, head.Content.Headers.ContentType, head.Content.Headers.ContentLength));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_owner_may_have_the_operators_sentence_told()
    {
        await using var visit = await Visit.AtAsync(_agent, Stop, new AgentConfig { Image = "app", Page = new PageConfig { Details = PageDetails.Full } });
        _agent.Board.Publish(Told.Idle with { Tag = Told.Failing<Resolution>(Told.Trouble) });

        Assert.Equal(Visit.Says("failing", "It went wrong. Do this."), await (await visit.Browser.GetAsync("", Stop)).Content.ReadAsStringAsync(Stop));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("_ragagent", 404)]
    [InlineData("_ragagent/", 404)]
    [InlineData("_ragagent/status", 404)]
    [InlineData("_ragagent/events/x", 404)]
    [InlineData("%5fragagent/v1/status", 404)]
    [InlineData("_ragagentx", 200)]
    [InlineData("x/_ragagent/events", 200)]
    [InlineData("_RAGAGENT/events", 200)]
    public async Task Of_its_own_addresses_the_agent_tells_nothing_and_all_others_are_the_apps(string path, int status)
    {
        await using var app = await ServeAsync(call => call.Response.WriteAsync("from the app"));

        using var answer = await _visit.Browser.GetAsync(path, Stop);

        Assert.Equal((status, status == 200 ? "from the app" : ""), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
        Assert.Equal(status == 200 ? 1 : 0, app.Requests.Count);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_visitor_who_leaves_is_no_failure_of_anybody()
    {
        var (asked, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        var said = new List<string>();
        using var loggers = new LoggerFactory([new Ears(said)]);
        await using var visit = await Visit.AtAsync(_agent, Stop, loggers: loggers);
        await using var app = await ServeAsync(async call =>
        {
            asked.SetResult();
            await TestServer.HangAsync(call);
            left.SetResult();
        });
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var going = visit.Browser.GetAsync("", patience.Token);
        await asked.Task.WaitAsync(Stop);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => going);
        await left.Task.WaitAsync(Stop);   // the app hears of it
        Assert.Equal(0, await visit.Visits.DrainAsync(Told.Container(), Timeout.InfiniteTimeSpan, Stop));

        await visit.DisposeAsync();
        Assert.Empty(said);
        Assert.IsType<ContainerState.Serving>(_agent.Board.State.Front);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_serving_app_is_reached_as_it_is()
    {
        await using var app = await ServeAsync(call =>
        {
            call.Response.StatusCode = 418;
            call.Response.Headers["X-App"] = "yes";
            call.Response.Headers.Append("Set-Cookie", "a=1");
            return call.Response.WriteAsync("from the app");
        });

        using var answer = await _visit.Browser.PutAsync("a%20b/c?d=e&f", new StringContent("body"), Stop);

        Assert.Equal((418, "from the app", "yes", "a=1"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop), Header(answer, "X-App"), Header(answer, "Set-Cookie")));
        var arrived = Assert.Single(app.Requests);
        Assert.Equal(("PUT", "/a%20b/c?d=e&f", "body"), (arrived.Method, arrived.Path, arrived.Body));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task The_app_sees_the_host_that_the_visitor_asked_for()
    {
        await using var app = await ServeAsync(_ => Task.CompletedTask);
        using var request = new HttpRequestMessage(HttpMethod.Get, "") { Headers = { Host = "rag.example.com:8080" } };

        using var answer = await _visit.Browser.SendAsync(request, Stop);

        Assert.Equal("rag.example.com:8080", Assert.Single(app.Requests).Headers["Host"]);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_the_visitor_is_the_agent_says_and_not_the_visitor()
    {
        await using var app = await ServeAsync(_ => Task.CompletedTask);
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.Headers.Host = "rag.example.com";
        foreach (var name in (string[])["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "X-Real-IP"])
        {
            request.Headers.TryAddWithoutValidation(name, "forged");
        }

        using var answer = await _visit.Browser.SendAsync(request, Stop);

        var headers = Assert.Single(app.Requests).Headers;
        Assert.Equal(("127.0.0.1", "http", "rag.example.com"), (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"], headers["X-Forwarded-Host"]));
        Assert.DoesNotContain("forged", headers.Values);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_download_is_streamed()
    {
        var goOn = new TaskCompletionSource();
        await using var app = await ServeAsync(async call =>
        {
            await call.Response.WriteAsync("first");
            await call.Response.Body.FlushAsync();
            await goOn.Task;
            await call.Response.WriteAsync(" second");
        });

        using var answer = await _visit.Browser.GetAsync("", HttpCompletionOption.ResponseHeadersRead, Stop);
        await using var body = await answer.Content.ReadAsStreamAsync(Stop);
        var first = new byte[5];
        await body.ReadExactlyAsync(first, Stop);
        Assert.Equal("first"u8.ToArray(), first);
        goOn.SetResult();
        using var rest = new StreamReader(body);
        Assert.Equal(" second", await rest.ReadToEndAsync(Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_upload_is_streamed()
    {
        var seen = new TaskCompletionSource();
        await using var app = await ServeAsync(async call =>
        {
            await call.Request.Body.ReadExactlyAsync(new byte[Piece / 2]);
            seen.SetResult();
            using var rest = new StreamReader(call.Request.Body);
            await call.Response.WriteAsync($"got {(await rest.ReadToEndAsync()).Length}");
        }, record: false);

        using var content = new StreamedContent(async stream =>
        {
            await stream.WriteAsync(new byte[Piece], Stop);
            await stream.FlushAsync(Stop);
            await seen.Task.WaitAsync(Stop);
            await stream.WriteAsync(new byte[Piece], Stop);
        });
        using var answer = await _visit.Browser.PostAsync("", content, Stop);

        Assert.Equal($"got {Piece * 3 / 2}", await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_app_where_nobody_listens_is_told_as_a_sentence()
    {
        var app = await ServeAsync(_ => Task.CompletedTask);
        await app.DisposeAsync();

        await SaysThatItDoesNotAnswerAsync(await _visit.Browser.GetAsync("", Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_app_that_goes_away_before_it_answers_is_told_as_a_sentence()
    {
        await using var app = await ServeAsync(call =>
        {
            call.Abort();
            return Task.CompletedTask;
        });

        await SaysThatItDoesNotAnswerAsync(await _visit.Browser.GetAsync("", Stop));
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("POST", "")]
    [InlineData("POST", "Content-Length: 0\r\n")]
    [InlineData("PUT", "")]
    [InlineData("PATCH", "")]
    [InlineData("DELETE", "")]
    public async Task What_an_app_may_have_acted_on_before_it_hung_up_it_is_asked_once(string method, string more)
    {
        await using var app = new RawApp { Answer = null };
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(app.Port) });

        var answer = await RawVisitor.AskAsync(_visit.Port, $"{method} /_stcore/upload_file/1 HTTP/1.1\r\nHost: app\r\n{more}Connection: close\r\n\r\n", Stop);

        Assert.Equal("503", RawVisitor.Statuses(answer));
        Assert.Equal($"{method} /_stcore/upload_file/1 HTTP/1.1", Assert.Single(app.Requests).Line);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task An_app_that_goes_away_in_the_middle_of_an_upload_is_told_as_a_sentence()
    {
        var gone = new TaskCompletionSource();
        await using var app = await ServeAsync(async call =>
        {
            await call.Request.Body.ReadExactlyAsync(new byte[Piece / 2]);
            call.Abort();
            gone.SetResult();
        }, record: false);

        using var content = new StreamedContent(async stream =>
        {
            await stream.WriteAsync(new byte[Piece], Stop);
            await stream.FlushAsync(Stop);
            await gone.Task.WaitAsync(Stop);
            await stream.WriteAsync(new byte[Piece], Stop);
        });
        await SaysThatItDoesNotAnswerAsync(await _visit.Browser.PostAsync("", content, Stop));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<TestServer> ServeAsync(RequestDelegate answer, bool record = true)
    {
        var app = await TestServer.StartAsync(answer, record);
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(app.Port) });
        return app;
    }

    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string? accept)
    {
        using var request = new HttpRequestMessage(method, "any/page");
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        return await _visit.Browser.SendAsync(request, Stop);
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(',', answer.Headers.GetValues(name));

    private static async Task SaysThatItDoesNotAnswerAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.Equal((503, Visit.Says("unreachable", "The app does not answer right now.")), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
            Assert.NotNull(answer.Headers.RetryAfter);
        }
    }

    /// <summary>Hears errors only, as the journal does.</summary>
    private sealed class Ears(List<string> said) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Ear(said);

        public void Dispose()
        {
        }

        private sealed class Ear(List<string> said) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                lock (said)
                {
                    if (IsEnabled(logLevel))
                    {
                        said.Add(formatter(state, exception));
                    }
                }
            }
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
