using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Proxy.StatusPage;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The news of the page, as a browser reads them from its socket.</summary>
public sealed class PageEventsTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private SupervisedApp _agent = null!;
    private Visit _visit = null!;

    public async ValueTask InitializeAsync()
    {
        _agent = new SupervisedApp(time: _time);
        _agent.Board.Publish(Told.Idle);
        _visit = await Visit.AtAsync(_agent, Stop);
    }

    public async ValueTask DisposeAsync()
    {
        await _visit.DisposeAsync();
        await _agent.DisposeAsync();
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Each_change_is_told_until_the_app_serves_and_then_they_end()
    {
        using var answer = await ListenAsync();
        Assert.Equal(("text/event-stream; charset=utf-8", true), (answer.Content.Headers.ContentType?.ToString(), answer.Headers.CacheControl?.NoStore));
        using var news = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));

        Assert.Equal("Looking for the newest version.", Sentence(await NextAsync(news)));
        _agent.Board.Publish(Told.Idle with { Tag = Told.Failing<Resolution>(Told.Trouble) });
        Assert.Equal("The newest version can't be had right now. It is asked for again by itself.", Sentence(await NextAsync(news)));
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving() });

        Assert.Equal(("serves", "{}"), await NextAsync(news));
        Assert.Equal("\n", await news.ReadToEndAsync(Stop));   // that ends the event
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task What_tells_a_visitor_nothing_new_is_not_told_and_a_silent_line_beats()
    {
        using var answer = await ListenAsync();
        using var news = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));
        await NextAsync(news);

        _agent.Board.Publish(Told.Idle with { Seed = 2 });
        _agent.Board.Touch();

        Assert.Equal(("beat", "{}"), await NextAsync(news));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_comes_when_the_app_serves_already_hears_so_at_once()
    {
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving() });

        Assert.Equal("retry: 2000\n\nevent: serves\ndata: {}\n\n", await _visit.Browser.GetStringAsync("_ragagent/events", Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_reads_that_the_machine_goes_is_not_led_into_an_app_that_ends_with_it()
    {
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(), InstanceStop = Told.Known(new StopAccepted("i-1", Moment.Zero)) });
        using var answer = await ListenAsync();
        using var news = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));

        Assert.Equal("This machine is being switched off.", Sentence(await NextAsync(news)));
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving() });   // it stayed up all the same

        Assert.Equal(("serves", "{}"), await NextAsync(news));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Who_leaves_makes_room_and_beyond_the_bound_nobody_listens()
    {
        var events = new StatusPageEvents(_agent.Board, _ => new StatusPageModel("starting", "", null, [], null, null, null), _time);
        await using var server = await TestServer.StartAsync(async call =>
        {
            try
            {
                call.Response.StatusCode = await events.StreamAsync(call, call.RequestAborted) ? 200 : 503;
            }
            catch (OperationCanceledException) when (call.RequestAborted.IsCancellationRequested)
            {
                return;   // as the front door has it
            }
        }, record: false);
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var listening = new List<HttpResponseMessage>();
        while (listening.Count < StatusPageEvents.MaxListeners)
        {
            listening.Add(await browser.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, Stop));
        }

        Assert.Equal(503, (int)(await browser.GetAsync(server.Address, Stop)).StatusCode);
        listening.ForEach(answer => answer.Dispose());
        while (events.Listeners > 0)
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
        using var again = await browser.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, Stop);
        Assert.Equal(200, (int)again.StatusCode);
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task Listeners_do_not_hold_up_the_end_of_the_agent()
    {
        using var answer = await ListenAsync();
        using var news = new StreamReader(await answer.Content.ReadAsStreamAsync(Stop));
        await NextAsync(news);

        await _visit.DisposeAsync();   // on a clock that stands still: nothing is waited for

        Assert.DoesNotContain("serves", await news.ReadToEndAsync(Stop), StringComparison.Ordinal);
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task They_are_read_and_not_written(string method)
    {
        using var answer = await _visit.Browser.SendAsync(new HttpRequestMessage(new HttpMethod(method), "_ragagent/events"), Stop);

        Assert.Equal((405, "GET"), ((int)answer.StatusCode, string.Join(',', answer.Content.Headers.Allow)));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> ListenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "_ragagent/events") { Headers = { { "Accept", "text/event-stream" } } };
        return await _visit.Browser.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
    }

    /// <summary>The next event, however long it takes on the agent's clock.</summary>
    private async Task<(string Name, string Data)> NextAsync(StreamReader news)
    {
        var name = "";
        while (true)
        {
            var reading = news.ReadLineAsync(Stop).AsTask();
            while (await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop)) != reading)
            {
                _time.Advance(Step);
            }
            switch (await reading)
            {
                case { } line when line.StartsWith("event: ", StringComparison.Ordinal):
                    name = line["event: ".Length..];
                    break;
                case { } line when line.StartsWith("data: ", StringComparison.Ordinal):
                    return (name, line["data: ".Length..]);
                case null:
                    throw new EndOfStreamException("The news ended.");
            }
        }
    }

    private static string Sentence((string Name, string Data) told)
    {
        Assert.Equal("notice", told.Name);
        using var notice = JsonDocument.Parse(told.Data);
        return notice.RootElement.GetProperty("sentence").GetString()!;
    }
}
