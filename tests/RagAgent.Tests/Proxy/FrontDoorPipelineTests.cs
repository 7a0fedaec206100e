using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Configuration;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What stands between a visitor and the app: the challenge, the way to HTTPS, the base path.</summary>
public sealed class FrontDoorPipelineTests : IDisposable
{
    private const string ChallengePath = ".well-known/acme-challenge";
    private readonly string _webroot = Directory.CreateTempSubdirectory("ragagent-acme-").FullName;

    public void Dispose() => Directory.Delete(_webroot, recursive: true);

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/", "/")]
    [InlineData("/a/b%20c%2Fd?x=1&y=%26", "/a/b%20c%2Fd?x=1&y=%26")]
    [InlineData("//elsewhere.example/", "//elsewhere.example/")]
    [InlineData("http://rag.example.com:PORT/abs?x", "/abs?x")]
    public async Task Who_comes_by_HTTP_is_led_to_the_same_address_by_HTTPS(string asked, string led)
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);

        var response = await SendRawAsync(frontDoor.Http, $"GET {asked.Replace("PORT", $"{frontDoor.Http}", StringComparison.Ordinal)} HTTP/1.1\r\nHost: rag.example.com:{frontDoor.Http}\r\n");

        Assert.StartsWith("HTTP/1.1 308 ", response, StringComparison.Ordinal);
        // By the name that was asked for, and at the port of HTTPS.
        Assert.Contains($"\r\nLocation: https://rag.example.com:{frontDoor.Https}{led}\r\n", response, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_usual_port_of_HTTPS_is_not_written_and_no_name_is_made_up()
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        var secure = new RagAgent.Proxy.Tls.HttpsRedirect(443, frontDoor.Certificates);
        var context = new DefaultHttpContext();
        context.Request.Scheme = "http";
        context.Request.Path = "/a";

        context.Request.Host = new HostString("[::1]", 80);
        await secure.InvokeAsync(context, _ => throw new InvalidOperationException("It was let through."));
        Assert.Equal("https://[::1]/a", context.Response.Headers.Location);

        Assert.StartsWith("HTTP/1.1 400 ", await SendRawAsync(frontDoor.Http, "GET / HTTP/1.0\r\n"), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_challenge_is_shown_by_HTTP_with_and_without_a_certificate_and_keeps_its_way_beside_the_redirect()
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, new TlsConfig { Challenge = _webroot }, issued: false);
        Write("to-ken_1", "to-ken_1.thumbprint");

        Assert.Equal("to-ken_1.thumbprint", await frontDoor.Client.GetStringAsync(frontDoor.HttpUri($"/{ChallengePath}/to-ken_1"), TestCancellation));
        frontDoor.IssueNextCertificate();
        await frontDoor.AdvanceUntilAsync(() => frontDoor.Certificates.Current is not null, TestCancellation);
        Assert.Equal("to-ken_1.thumbprint", await frontDoor.Client.GetStringAsync(frontDoor.HttpUri($"/{ChallengePath}/to-ken_1"), TestCancellation));

        var head = await SendRawAsync(frontDoor.Http, $"HEAD /{ChallengePath}/to-ken_1 HTTP/1.1\r\nHost: a\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 19\r\n", head, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 405 ", await SendRawAsync(frontDoor.Http, $"POST /{ChallengePath}/to-ken_1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"), StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/.well-known/acme-challenge/../../secret")]
    [InlineData("/.well-known/acme-challenge/%2e%2e/%2e%2e/secret")]
    [InlineData("/.well-known/acme-challenge/..%2f..%2fsecret")]
    [InlineData("/.well-known/acme-challenge/%2e%2e%2f%2e%2e%2fsecret")]
    [InlineData("/.well-known/acme-challenge/..\\..\\secret")]
    [InlineData("/.well-known/acme-challenge/link")]
    [InlineData("/.well-known/acme-challenge/folder")]
    [InlineData("/.well-known/acme-challenge/folder/secret")]
    [InlineData("/.well-known/acme-challenge/large")]
    [InlineData("/.well-known/acme-challenge/secret%00")]
    [InlineData("/.well-known/acme-challenge//secret")]
    [InlineData("/.well-known/acme-challenge/")]
    [InlineData("/.well-known/acme-challenge/LONG")]
    [InlineData("/.well-known/acme-challenge/none")]
    public async Task Nothing_but_a_challenge_can_be_had(string asked)
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, new TlsConfig { Challenge = _webroot });
        Write("there", "x");
        var secret = Path.Combine(_webroot, "secret");
        await File.WriteAllTextAsync(secret, "SECRET", TestCancellation);
        File.CreateSymbolicLink(Path.Combine(_webroot, ChallengePath, "link"), secret);
        Directory.CreateDirectory(Path.Combine(_webroot, ChallengePath, "folder"));
        Write("folder/secret", "SECRET");
        Write("large", string.Concat(Enumerable.Repeat("SECRET", 1000)));

        var response = await SendRawAsync(frontDoor.Http, $"GET {asked.Replace("LONG", new string('a', 5000), StringComparison.Ordinal)} HTTP/1.1\r\nHost: a\r\n");

        Assert.Matches("^HTTP/1.1 (404|400|308) ", response);
        Assert.DoesNotContain("SECRET", response, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/rag", 200)]
    [InlineData("/rag/_stcore/health?x=%2F", 200)]
    [InlineData("/ragged", 404)]
    [InlineData("/Rag/", 404)]
    [InlineData("/other/rag/", 404)]
    [InlineData("/_ragagent/events", 200)]   // the agent's own, at the root
    public async Task An_app_below_a_path_gets_what_is_below_it_as_it_is_and_nothing_else(string asked, int status)
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var port = FreePort.Find();
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(agent, port, config: new AgentConfig { Image = "app", Listen = new ListenConfig { Http = port, BasePath = "/rag" } });
        await frontDoor.StartAsync(TestCancellation);

        Assert.StartsWith($"HTTP/1.1 {status} ", await SendRawAsync(port, $"GET {asked} HTTP/1.1\r\nHost: a\r\n"), StringComparison.Ordinal);
        Assert.Equal(status == 200 && asked.StartsWith("/rag", StringComparison.Ordinal) ? [$"GET {asked}"] : [], app.Requests.Select(request => request.ToString()));
        var root = await SendRawAsync(port, "GET /?a=b HTTP/1.1\r\nHost: a\r\n");
        Assert.StartsWith("HTTP/1.1 307 ", root, StringComparison.Ordinal);
        Assert.Contains("\r\nLocation: /rag/?a=b\r\n", root, StringComparison.Ordinal);
        await frontDoor.StopAsync(TestCancellation);
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private void Write(string token, string text)
    {
        var path = Path.Combine(_webroot, ChallengePath, token);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>As it is written here: a client library would tidy it up.</summary>
    private static async Task<string> SendRawAsync(int port, string head)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestCancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{head}Connection: close\r\n\r\n"), TestCancellation);
        using var response = new StreamReader(client.GetStream());
        return await response.ReadToEndAsync(TestCancellation);
    }
}
