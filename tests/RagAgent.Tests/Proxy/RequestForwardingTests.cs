using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The app receives what the client wrote, without the hop-by-hop headers, and its response passes unchanged.</summary>
public sealed class RequestForwardingTests : IAsyncLifetime
{
    private readonly SupervisorFixture _supervisor = new();
    private readonly RawHttpServer _app = new();
    private FrontDoorFixture _frontDoor = null!;

    public async ValueTask InitializeAsync()
    {
        _frontDoor = await FrontDoorFixture.StartAsync(_supervisor, TestCancellation);
        _supervisor.Board.Publish(Sample.StateWithoutContainer with { Front = Sample.Serving(_app.Port) });
    }

    public async ValueTask DisposeAsync()
    {
        await _frontDoor.DisposeAsync();
        await _app.DisposeAsync();
        await _supervisor.DisposeAsync();
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/a%2Fb%2fc", null)]
    [InlineData("/a/%2e%2e/b/../c/./d", null)]
    [InlineData("//a///b//", null)]
    [InlineData("//other/a", null)]
    [InlineData("/@other:80/", null)]
    [InlineData("/\\other", null)]
    [InlineData("/caf%C3%A9/%ff%00", "400")]   // no path contains a zero byte
    [InlineData("/caf%C3%A9/%ff", null)]
    [InlineData("/a?b=%26&c=d+e/../f&&=?", null)]
    [InlineData("/a;b=c/{d}|^`\"<>", null)]
    [InlineData("/a#b", "/a%23b")]
    [InlineData("/caf\u00c3\u00a9", "400")]
    [InlineData("http://app/a/../b?c", "/b?c")]
    [InlineData("*", "405")]
    public async Task A_path_is_forwarded_as_written(string sent, string? arrives)
    {
        var response = await RawHttpClient.ExchangeAsync(
            _frontDoor.Port, $"GET {sent} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation);

        Assert.Equal(
            arrives is "400" or "405" ? arrives : $"200 GET {arrives ?? sent} HTTP/1.1",
            $"{RawHttpClient.StatusCodes(response)} {string.Join(" | ", _app.Requests)}".TrimEnd());
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_path_of_maximum_length_arrives_whole()
    {
        var path = "/" + new string('a', 8000);

        await RawHttpClient.ExchangeAsync(
            _frontDoor.Port, $"GET {path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n", TestCancellation);

        Assert.Equal($"GET {path} HTTP/1.1", Assert.Single(_app.Requests).Line);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Hop_by_hop_headers_are_not_forwarded()
    {
        await RawHttpClient.ExchangeAsync(
            _frontDoor.Port,
            "GET / HTTP/1.1\r\nHost: app\r\nConnection: x-hop, X-Forwarded-For, Host\r\nKeep-Alive: 5\r\nTE: trailers\r\n" +
            "Proxy-Authorization: x\r\nUpgrade: h2c\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n" +
            "GET /last HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n",
            TestCancellation);

        var headers = _app.Requests[0].Headers.OrderBy(header => header.Name, StringComparer.Ordinal);
        Assert.Equal(
            [("Host", "app"), ("X-End", "2"), ("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Host", "app"), ("X-Forwarded-Proto", "http")],
            headers);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Headers_pass_byte_for_byte_in_both_directions()
    {
        _app.Response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-File: caf\u00c3\u00a9 \u00e9\r\n\r\n";

        var response = await RawHttpClient.ExchangeAsync(
            _frontDoor.Port,
            "GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\nX-File: caf\u00c3\u00a9 \u00e9\r\n\r\n",
            TestCancellation);

        Assert.Equal(["caf\u00c3\u00a9 \u00e9"], Assert.Single(_app.Requests).Values("X-File"));
        Assert.Contains("X-File: caf\u00c3\u00a9 \u00e9\r\n", response, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("GET / HTTP/1.0\r\n\r\n")]
    [InlineData("GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n")]
    public async Task A_request_without_a_host_reaches_the_app_as_localhost(string request)
    {
        await RawHttpClient.ExchangeAsync(_frontDoor.Port, request, TestCancellation);

        Assert.Equal(["localhost"], Assert.Single(_app.Requests).Values("Host"));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
