using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Proxy.StatusPage;
using RagAgent.Reporting;
using RagAgent.Supervision.State;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The status page's events, as a browser receives them.</summary>
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
    public async Task Each_change_is_sent_until_the_app_serves_and_then_the_stream_ends()
    {
        using var response = await ListenAsync();
        Assert.Equal(
            ("text/event-stream; charset=utf-8", true),
            (response.Content.Headers.ContentType?.ToString(), response.Headers.CacheControl?.NoStore));
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));

        Assert.Equal("Looking for the newest version.", Sentence(await NextAsync(stream)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Tag = Sample.LoadFailed<Resolution>(Sample.AnyProblem) });
        Assert.Equal("The newest version can't be reached right now. Retrying automatically.", Sentence(await NextAsync(stream)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });

        Assert.Equal(("serves", "{}"), await NextAsync(stream));
        Assert.Equal("\n", await stream.ReadToEndAsync(TestCancellation));   // the end of the last event
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_state_that_changes_nothing_on_the_page_is_not_sent_and_heartbeats_fill_silence()
    {
        using var response = await ListenAsync();
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));
        await NextAsync(stream);

        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Seed = 2 });
        _supervisor.Board.Touch();

        Assert.Equal(("beat", "{}"), await NextAsync(stream));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_listener_learns_at_once_that_the_app_already_serves()
    {
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });

        Assert.Equal(
            "retry: 2000\n\nevent: serves\ndata: {}\n\n",
            await _frontDoor.Client.GetStringAsync("_ragagent/events", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task During_an_instance_stop_listeners_are_not_sent_to_the_app()
    {
        _supervisor.Board.Publish(
            Sample.StateWithoutContainer with
            {
                Front = Sample.Serving(),
                InstanceStop = Sample.Loaded(new StopAccepted("i-1", Moment.Zero)),
            });
        using var response = await ListenAsync();
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));

        Assert.Equal("This machine is shutting down.", Sentence(await NextAsync(stream)));
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving() });   // the instance did not stop after all

        Assert.Equal(("serves", "{}"), await NextAsync(stream));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Listeners_above_the_limit_get_503_and_one_that_leaves_frees_its_place()
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
                return;   // like the front door
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
    public async Task Listeners_do_not_delay_the_agents_stop()
    {
        using var response = await ListenAsync();
        using var stream = new StreamReader(await response.Content.ReadAsStreamAsync(TestCancellation));
        await NextAsync(stream);

        await _frontDoor.DisposeAsync();   // on a clock that stands still, so it waits for nothing

        Assert.DoesNotContain("serves", await stream.ReadToEndAsync(TestCancellation), StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task Events_accept_only_GET(string method)
    {
        using var response = await _frontDoor.Client.SendAsync(
            new HttpRequestMessage(new HttpMethod(method), "_ragagent/events"), TestCancellation);

        Assert.Equal((405, "GET"), ((int)response.StatusCode, string.Join(',', response.Content.Headers.Allow)));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private async Task<HttpResponseMessage> ListenAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "_ragagent/events") { Headers = { { "Accept", "text/event-stream" } } };
        return await _frontDoor.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestCancellation);
    }

    /// <summary>The next event, however long it takes on the agent's clock.</summary>
    private async Task<(string Name, string Data)> NextAsync(StreamReader stream)
    {
        var name = "";
        while (true)
        {
            var reading = stream.ReadLineAsync(TestCancellation).AsTask();
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
                    throw new EndOfStreamException("The events ended.");
            }
        }
    }

    private static string Sentence((string Name, string Data) received)
    {
        Assert.Equal("notice", received.Name);
        using var notice = JsonDocument.Parse(received.Data);
        return notice.RootElement.GetProperty("sentence").GetString()!;
    }
}
