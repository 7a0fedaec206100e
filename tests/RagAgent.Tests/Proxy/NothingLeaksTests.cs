using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Proxy.Access;
using RagAgent.Tests.Bench;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What the agent itself answers says what a visitor has to know, and nothing of what it is made of or where the app is.</summary>
public sealed class NothingLeaksTests : IAsyncDisposable
{
    private readonly SupervisedApp _agent = new();
    private Visit? _visit;

    public async ValueTask DisposeAsync()
    {
        if (_visit is not null)
        {
            await _visit.DisposeAsync();
        }
        await _agent.DisposeAsync();
    }

    [Theory(Timeout = Patience.Milliseconds)]
    [InlineData("400", "GET / HTTP/1.1\r\n\r\n")]
    [InlineData("400", "nonsense\r\n\r\n")]
    [InlineData("400", "GET / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")]
    [InlineData("405", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")]
    [InlineData("505", "GET / HTTP/1.7\r\nHost: app\r\n\r\n")]
    [InlineData("503", "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")]
    [InlineData("404", "GET /_ragagent/anything HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")]
    [InlineData("503", "GET /nowhere HTTP/1.0\r\n\r\n")]
    public async Task An_error_says_nothing_of_what_is_behind_it(string status, string request)
    {
        _visit = await Visit.AtAsync(_agent, Stop);
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(FreePort.Take()) });   // nobody listens there

        Check(status, await RawVisitor.AskAsync(_visit.Port, request, Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_body_that_is_no_body_is_a_400_and_no_word_about_the_app()
    {
        await using var app = new RawApp();
        _visit = await Visit.AtAsync(_agent, Stop);
        _agent.Board.Publish(Told.Idle with { Front = Told.Serving(app.Port) });

        Check("400", await RawVisitor.AskAsync(_visit.Port, "POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", Stop));
    }

    [Fact(Timeout = Patience.Milliseconds)]
    public async Task A_fault_of_the_agent_is_a_plain_500_and_a_line_for_the_operator()
    {
        var said = new List<string>();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new Provider(said)));
        // Nothing that a visitor sends makes the real one throw, so it is given a network that nothing can be asked of.
        var access = new AccessControl(new AgentConfig { Image = "app", Access = new AccessConfig { Networks = null! } }, new Password().Keeper, _agent.Clock, NullLogger<AccessControl>.Instance);
        _visit = await Visit.AtAsync(_agent, Stop, access: access, loggers: loggers);

        var answer = await RawVisitor.AskAsync(_visit.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", Stop);

        Check("500", answer);
        Assert.Contains("\r\nSomething went wrong here. The operator finds it in the log.\n", answer, StringComparison.Ordinal);
        Assert.Single(said, line => line == "A GET request of a visitor could not be answered, by a fault of the agent: please report it with the lines around this one.");
    }

    private static void Check(string status, string answer)
    {
        Assert.Equal(status, RawVisitor.Statuses(answer));
        Assert.All(["Server:", "Kestrel", "127.0.0.1", "localhost", "Exception", "   at ", "X-Powered-By", "Via:"], word => Assert.DoesNotContain(word, answer, StringComparison.OrdinalIgnoreCase));
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private sealed class Provider(List<string> said) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => new Heard(said);

        public void Dispose()
        {
        }
    }
}
