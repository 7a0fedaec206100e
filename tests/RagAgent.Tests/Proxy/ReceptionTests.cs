using Microsoft.AspNetCore.Http;
using RagAgent.Supervision;
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

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task While_the_app_does_not_serve_the_visitor_reads_one_sentence_and_comes_back_by_himself()
    {
        _agent.Board.Publish(Told.Idle);

        using var answer = await _visit.Browser.GetAsync("any/page", Stop);

        Assert.Equal(503, (int)answer.StatusCode);
        Assert.Equal("Asking the registry what the newest image is.\n", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("text/plain; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal((TimeSpan.FromSeconds(2), true, "2"), (answer.Headers.RetryAfter?.Delta, answer.Headers.CacheControl?.NoStore, string.Join(',', answer.Headers.GetValues("Refresh"))));
        Assert.False(answer.Headers.Contains("Server"));
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
        _agent.Board.Publish(Told.Idle with { App = Told.Serving(app.Port) });
        return app;
    }

    private static string Header(HttpResponseMessage answer, string name) => string.Join(',', answer.Headers.GetValues(name));

    private static async Task SaysThatItDoesNotAnswerAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.Equal((503, "The app does not answer right now.\n"), ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(Stop)));
            Assert.NotNull(answer.Headers.RetryAfter);
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
