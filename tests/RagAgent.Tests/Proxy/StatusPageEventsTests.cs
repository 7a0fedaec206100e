using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Proxy.StatusPage;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The news of the page, as a browser reads them from its socket.</summary>
public sealed class StatusPageEventsTests : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly FakeTimeProvider _time = new();
    private SupervisorFixture _supervisor = null!;
    private FrontDoorFixture _frontDoor = null!;

    public async ValueTask InitializeAsync()
    {
        _supervisor = new SupervisorFixture(time: _time);
        _supervisor.Board.Publish(Sample.StateWithoutContainer);
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _supervisor.DisposeAsync();
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Each_change_is_told_until_the_app_serves_and_then_they_end()
    {
        using var response = await ListenAsync();
        Assert.Equal(("text/event-stream; charset=utf-8", true), (response.Content.Headers.ContentType?.ToString(), response.Headers.CacheControl?.NoStore));
        using var news = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));

        Assert.Equal("Looking for the newest version.", Sentence(await NextAsync(news)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Tag = Sample.LoadFailed<Resolution>(Sample.AnyProblem) });
        Assert.Equal("The newest version can't be reached right now. Retrying automatically.", Sentence(await NextAsync(news)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });

        Assert.Equal(("serves", "{}"), await NextAsync(news));
        Assert.Equal("\n", await news.ReadToEndAsync(TestCancellation));   // that ends the event
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task What_tells_a_visitor_nothing_new_is_not_told_and_a_silent_line_beats()
    {
        using var response = await ListenAsync();
        using var news = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));
        await NextAsync(news);

        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Seed = 2 });
        _supervisor.Board.Touch();

        Assert.Equal(("beat", "{}"), await NextAsync(news));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_comes_when_the_app_serves_already_hears_so_at_once()
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });

        Assert.Equal("retry: 2000\n\nevent: serves\ndata: {}\n\n", await _frontDoor.Client.GetStringAsync("_ragagent/events", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_reads_that_the_machine_goes_is_not_led_into_an_app_that_ends_with_it()
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(), InstanceStop = Sample.Loaded(new StopAccepted("i-1", Moment.Zero)) });
        using var response = await ListenAsync();
        using var news = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));

        Assert.Equal("This machine is shutting down.", Sentence(await NextAsync(news)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });   // it stayed up all the same

        Assert.Equal(("serves", "{}"), await NextAsync(news));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Who_leaves_makes_room_and_beyond_the_bound_nobody_listens()
    {
        var events = new StatusPageEvents(_supervisor.Board, _ => new StatusPageModel("starting", "", null, [], null, null, null), _time);
        await using var server = await TestServer.StartAsync(async context =>
        {
            try
            {
                context.Response.StatusCode = await events.StreamAsync(context, context.RequestAborted) ? 200 : 503;
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                return;   // as the front door has it
            }
        }, record: false);
        using var browser = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var listening = new List<HttpResponseMessage>();
        while (listening.Count < StatusPageEvents.MaxListeners)
        {
            listening.Add(await browser.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, TestCancellation));
        }

        Assert.Equal(503, (int)(await browser.GetAsync(server.Address, TestCancellation)).StatusCode);
        listening.ForEach(response => response.Dispose());
        while (events.Listeners > 0)
        {
            await Task.Yield();
            TestCancellation.ThrowIfCancellationRequested();
        }
        using var again = await browser.GetAsync(server.Address, HttpCompletionOption.ResponseHeadersRead, TestCancellation);
        Assert.Equal(200, (int)again.StatusCode);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Listeners_do_not_hold_up_the_end_of_the_agent()
    {
        using var response = await ListenAsync();
        using var news = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));
        await NextAsync(news);

        await _frontDoor.DisposeAsync();   // on a clock that stands still: nothing is waited for

        Assert.DoesNotContain("serves", await news.ReadToEndAsync(TestCancellation), StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task They_are_read_and_not_written(string method)
    {
        using var response = await _frontDoor.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "_ragagent/events"), TestCancellation);

        Assert.Equal((405, "GET"), ((int)response.StatusCode, string.Join(',', response.Content.Headers.Allow)));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> ListenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "_ragagent/events") { Headers = { { "Accept", "text/event-stream" } } };
        return await _frontDoor.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestCancellation);
    }

    /// <summary>The next event, however long it takes on the agent's clock.</summary>
    private async Task<(string Name, string Data)> NextAsync(StreamReader news)
    {
        var name = "";
        while (true)
        {
            var reading = news.ReadLineAsync(TestCancellation).AsTask();
            while (await Task.WhenAny(reading, Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, TestCancellation)) != reading)
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
