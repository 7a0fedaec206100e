using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>
/// Requests that two HTTP parsers could read differently.
/// The app receives a strictly valid request or none, and never one that a client hid in the body of another.
/// </summary>
public sealed class RequestSmugglingTests : IAsyncLifetime
{
    private const string LastRequest = "GET /last HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n";
    private const string Hidden = "GET /hidden HTTP/1.1\r\nHost: app\r\n\r\n";

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

    public static TheoryData<string, string, string> Requests => new()
    {
        { "plain", "GET /a HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "CL and TE", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, "200 | POST /a HTTP/1.1" },
        { "TE and CL", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200 | POST /a HTTP/1.1 [abc]" },
        { "two CL that differ", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400 | " },
        { "two CL that agree", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400 | " },
        { "CL list", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 3, 3\r\n\r\nabc", "400 | " },
        { "CL plus", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: +3\r\n\r\nabc", "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1" },
        { "CL hex", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 0x3\r\n\r\nabc", "400 | " },
        { "CL negative", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: -1\r\n\r\nabc", "400 | " },
        { "CL too large", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 99999999999999999999\r\n\r\nabc", "400 | " },
        { "CL empty", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: \r\n\r\nabc", "400 | " },
        { "CL on GET", "GET /a HTTP/1.1\r\nHost: app\r\nContent-Length: 35\r\n\r\n" + Hidden, "200 200 | GET /a HTTP/1.1 [GET /hidden HTTP/1.1~Host: app~~] | GET /last HTTP/1.1" },
        { "TE space before colon", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 5\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        {
            "TE tab",
            "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n" + Hidden,
            "200 200 200 | POST /a HTTP/1.1 | GET /hidden HTTP/1.1 | GET /last HTTP/1.1"
        },
        { "TE leading space", "POST /a HTTP/1.1\r\nHost: app\r\nContent-Length: 5\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE xchunked", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE chunked, identity", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE identity, chunked", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE gzip, chunked", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE chunked, chunked", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE twice", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE quoted", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE upper", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", "200 200 | POST /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "TE vertical tab", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "TE NUL", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\0\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        {
            "TE underscore",
            "POST /a HTTP/1.1\r\nHost: app\r\nTransfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "200 200 | POST /a HTTP/1.1 [0~~] | GET /last HTTP/1.1"
        },
        { "TE trailing comma", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "HTTP/1.0 TE", "POST /a HTTP/1.0\r\nHost: app\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "HTTP/1.0 TE CL", "POST /a HTTP/1.0\r\nHost: app\r\nConnection: keep-alive\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + Hidden, "400 | " },
        { "bare LF in request line", "GET /a HTTP/1.1\nHost: app\r\n\r\n", "400 | " },
        { "bare LF in headers", "GET /a HTTP/1.1\r\nHost: app\nX: y\r\n\r\n", "400 | " },
        { "bare LF end", "GET /a HTTP/1.1\r\nHost: app\r\n\n", "400 | " },
        { "all LF", "GET /a HTTP/1.1\nHost: app\n\n", "400 | " },
        { "bare CR in value", "GET /a HTTP/1.1\r\nHost: app\r\nX: a\rb\r\n\r\n", "400 | " },
        { "bare CR end of header", "GET /a HTTP/1.1\r\nHost: app\rX: b\r\n\r\n", "400 | " },
        { "obs-fold", "GET /a HTTP/1.1\r\nHost: app\r\nX: a\r\n b\r\n\r\n", "400 | " },
        { "obs-fold TE", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "400 | " },
        { "NUL in name", "GET /a HTTP/1.1\r\nHost: app\r\nX\0Y: a\r\n\r\n", "400 | " },
        { "NUL in value", "GET /a HTTP/1.1\r\nHost: app\r\nX: a\0b\r\n\r\n", "400 | " },
        { "NUL in path", "GET /a\0b HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "space in name", "GET /a HTTP/1.1\r\nHost: app\r\nX Y: a\r\n\r\n", "400 | " },
        { "empty name", "GET /a HTTP/1.1\r\nHost: app\r\n: a\r\n\r\n", "400 | " },
        { "no colon", "GET /a HTTP/1.1\r\nHost: app\r\nX\r\n\r\n", "400 | " },
        { "name with high byte", "GET /a HTTP/1.1\r\nHost: app\r\nX\u00e9: a\r\n\r\n", "400 | " },
        { "value with high byte", "GET /a HTTP/1.1\r\nHost: app\r\nX: caf\u00c3\u00a9\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "value with latin1 byte", "GET /a HTTP/1.1\r\nHost: app\r\nX: caf\u00e9\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "control in value", "GET /a HTTP/1.1\r\nHost: app\r\nX: a\u0001b\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "absolute same", "GET http://app/a?b HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | GET /a?b HTTP/1.1 | GET /last HTTP/1.1" },
        { "absolute other", "GET http://other/a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "absolute userinfo", "GET http://app@other/a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "Host missing", "GET /a HTTP/1.1\r\nX: y\r\n\r\n", "400 | " },
        { "Host twice", "GET /a HTTP/1.1\r\nHost: app\r\nHost: other\r\n\r\n", "400 | " },
        { "Host twice same", "GET /a HTTP/1.1\r\nHost: app\r\nHost: app\r\n\r\n", "400 | " },
        { "Host userinfo", "GET /a HTTP/1.1\r\nHost: me@app\r\n\r\n", "400 | " },
        { "Host path", "GET /a HTTP/1.1\r\nHost: app/x\r\n\r\n", "400 | " },
        { "Host empty", "GET /a HTTP/1.1\r\nHost:\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "Host spaces", "GET /a HTTP/1.1\r\nHost: a b\r\n\r\n", "400 | " },
        { "Host list", "GET /a HTTP/1.1\r\nHost: app, other\r\n\r\n", "400 | " },
        {
            "chunk extension",
            "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
            "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1"
        },
        { "chunk extension LF", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3;x\nyz\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk extension CR", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3;x\ry\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk size LF", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk end LF", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n", "400 | " },
        { "chunk 0x", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk size space", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk plus", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk negative", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk overflow", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n100000003\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk overflow 64", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000003\r\nabc\r\n0\r\n\r\n", "400 | " },
        { "chunk longer", "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n", "400 | " },
        {
            "trailer",
            "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: y\r\n\r\n",
            "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1"
        },
        {
            "trailer CL",
            "POST /a HTTP/1.1\r\nHost: app\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n",
            "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1"
        },
        { "leading CRLF", "\r\nGET /a HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "space before method", " GET /a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "two spaces", "GET  /a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "tab in line", "GET\t/a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "space in path", "GET /a b HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "HTTP/0.9", "GET /a\r\n\r\n", "400 | " },
        { "HTTP/1.2", "GET /a HTTP/1.2\r\nHost: app\r\n\r\n", "505 | " },
        { "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", " | " },
        { "asterisk", "OPTIONS * HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | OPTIONS / HTTP/1.1 | GET /last HTTP/1.1" },
        { "CONNECT", "CONNECT app:80 HTTP/1.1\r\nHost: app:80\r\n\r\n", "405 | " },
        { "TRACE", "TRACE /a HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | TRACE /a HTTP/1.1 | GET /last HTTP/1.1" },
        { "odd method", "G@T /a HTTP/1.1\r\nHost: app\r\n\r\n", "400 | " },
        { "custom method", "BREW /a HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 | BREW /a HTTP/1.1 | GET /last HTTP/1.1" },
        {
            "h2c",
            "GET /a HTTP/1.1\r\nHost: app\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
            "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1"
        },
        { "Expect", "POST /a HTTP/1.1\r\nHost: app\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1" },
        { "Expect odd", "POST /a HTTP/1.1\r\nHost: app\r\nExpect: 100-continued\r\nContent-Length: 3\r\n\r\nabc", "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1" },
        { "pipelined", "GET /a HTTP/1.1\r\nHost: app\r\n\r\n" + "GET /b HTTP/1.1\r\nHost: app\r\n\r\n", "200 200 200 | GET /a HTTP/1.1 | GET /b HTTP/1.1 | GET /last HTTP/1.1" },
        {
            "Connection names CL",
            "POST /a HTTP/1.1\r\nHost: app\r\nConnection: Content-Length\r\nContent-Length: 3\r\n\r\nabc",
            "200 200 | POST /a HTTP/1.1 [abc] | GET /last HTTP/1.1"
        },
        { "Connection names Host", "GET /a HTTP/1.1\r\nHost: app\r\nConnection: Host, X-A\r\nX-A: 1\r\n\r\n", "200 200 | GET /a HTTP/1.1 | GET /last HTTP/1.1" },
        {
            "WebSocket with body",
            "GET /a HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nContent-Length: 35\r\n\r\n" + Hidden,
            "200 200 | GET /a HTTP/1.1 [GET /hidden HTTP/1.1~Host: app~~] | GET /last HTTP/1.1"
        },
        {
            "WebSocket refused",
            "GET /a HTTP/1.1\r\nHost: app\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n" + Hidden,
            "200 200 200 | GET /a HTTP/1.1 | GET /hidden HTTP/1.1 | GET /last HTTP/1.1"
        },
    };

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [MemberData(nameof(Requests))]
    public async Task The_app_receives_one_strictly_valid_request_or_none(string what, string bytes, string expected)
    {
        var answers = await RawHttpClient.ExchangeAsync(_frontDoor.Port, bytes + LastRequest, TestCancellation);

        // A request whose body turned out to be malformed may have begun to arrive and was cut off. No app takes that for a request.
        Assert.Equal(
            $"{what}: {expected}",
            $"{what}: {RawHttpClient.StatusCodes(answers)} | {string.Join(" | ", _app.Requests.Where(request => !request.IsTruncated))}");
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;
}
