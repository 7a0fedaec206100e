using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RagAgent.Configuration;
using RagAgent.Proxy.Access;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The agent's own responses reveal nothing about its software or where the app is.</summary>
public sealed class InformationLeakTests : IAsyncDisposable
{
    private readonly SupervisorFixture _supervisor = new();
    private FrontDoorFixture? _frontDoor;

    public async ValueTask DisposeAsync()
    {
        if (_frontDoor is not null)
        {
            await _frontDoor.DisposeAsync();
        }
        await _supervisor.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("400", "GET / HTTP/1.1\r\n\r\n")]
    [InlineData("400", "nonsense\r\n\r\n")]
    [InlineData("400", "GET / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: gzip, chunked\r\n\r\n")]
    [InlineData("405", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")]
    [InlineData("505", "GET / HTTP/1.7\r\nHost: app\r\n\r\n")]
    [InlineData("503", "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")]
    [InlineData("404", "GET /_ragagent/anything HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")]
    [InlineData("503", "GET /nowhere HTTP/1.0\r\n\r\n")]
    public async Task An_error_response_reveals_nothing_about_the_server_or_the_app(string status, string request)
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(FreePort.Find()) });   // nothing listens there

        AssertRevealsNothing(status, await RawHttpClient.ExchangeAsync(_frontDoor.Port, request, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_malformed_body_gets_400_and_reveals_nothing_about_the_app()
    {
        await using var app = new RawHttpServer();
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(app.Port) });

        AssertRevealsNothing(
            "400",
            await RawHttpClient.ExchangeAsync(
                _frontDoor.Port, "POST / HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_bug_in_the_agent_is_a_plain_500_and_one_log_line()
    {
        var messages = new List<string>();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(new ListLoggerProvider(messages)));
        // No request makes the real access control throw, so this one gets a configuration without networks.
        var access = new AccessControl(
            new AgentConfig { Image = "app", Access = new AccessConfig { Networks = null! } },
            new PasswordFixture().Keeper,
            _supervisor.Clock,
            NullLogger<AccessControl>.Instance);
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation, access: access, loggers: loggers);

        var response = await RawHttpClient.ExchangeAsync(
            _frontDoor.Port, "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation);

        AssertRevealsNothing("500", response);
        Assert.Contains("\r\nSomething went wrong. The operator can find the cause in the log.\n", response, StringComparison.Ordinal);
        Assert.Single(
            messages,
            line => line == "A GET request failed because of a bug in the agent. Please report it with the log lines around this one.");
    }

    private static void AssertRevealsNothing(string status, string response)
    {
        Assert.Equal(status, RawHttpClient.StatusCodes(response));
        Assert.All(
            ["Server:", "Kestrel", "127.0.0.1", "localhost", "Exception", "   at ", "X-Powered-By", "Via:"],
            word => Assert.DoesNotContain(word, response, StringComparison.OrdinalIgnoreCase));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
