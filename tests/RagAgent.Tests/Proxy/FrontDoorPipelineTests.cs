using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Configuration;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>What a request passes on its way to the app: the ACME challenge, the redirect to HTTPS, the base path.</summary>
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
    public async Task HTTP_redirects_to_the_same_target_over_HTTPS(string target, string redirected)
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);

        var response = await SendRawAsync(
            frontDoor.Http,
            $"GET {target.Replace("PORT", $"{frontDoor.Http}", StringComparison.Ordinal)} HTTP/1.1\r\nHost: rag.example.com:{frontDoor.Http}\r\n");

        Assert.StartsWith("HTTP/1.1 308 ", response, StringComparison.Ordinal);
        // With the host that was target for and the port of HTTPS.
        Assert.Contains($"\r\nLocation: https://rag.example.com:{frontDoor.Https}{redirected}\r\n", response, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_redirect_omits_port_443_and_needs_a_host()
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        var secure = new RagAgent.Proxy.Tls.HttpsRedirect(443, frontDoor.Certificates);
        var context = new DefaultHttpContext();
        context.Request.Scheme = "http";
        context.Request.Path = "/a";

        context.Request.Host = new HostString("[::1]", 80);
        await secure.InvokeAsync(context, _ => throw new InvalidOperationException("The request was passed on."));
        Assert.Equal("https://[::1]/a", context.Response.Headers.Location);

        Assert.StartsWith("HTTP/1.1 400 ", await SendRawAsync(frontDoor.Http, "GET / HTTP/1.0\r\n"), StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task An_ACME_challenge_is_served_over_HTTP_despite_the_redirect_with_or_without_a_certificate()
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(
            agent, TestCancellation, new TlsConfig { Challenge = _webroot }, issued: false);
        Write("to-ken_1", "to-ken_1.thumbprint");

        Assert.Equal(
            "to-ken_1.thumbprint",
            await frontDoor.Client.GetStringAsync(frontDoor.HttpUri($"/{ChallengePath}/to-ken_1"), TestCancellation));
        frontDoor.IssueNextCertificate();
        await frontDoor.AdvanceUntilAsync(() => frontDoor.Certificates.Current is not null, TestCancellation);
        Assert.Equal(
            "to-ken_1.thumbprint",
            await frontDoor.Client.GetStringAsync(frontDoor.HttpUri($"/{ChallengePath}/to-ken_1"), TestCancellation));

        var head = await SendRawAsync(frontDoor.Http, $"HEAD /{ChallengePath}/to-ken_1 HTTP/1.1\r\nHost: a\r\n");
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        Assert.Contains("Content-Length: 19\r\n", head, StringComparison.Ordinal);
        Assert.StartsWith(
            "HTTP/1.1 405 ",
            await SendRawAsync(frontDoor.Http, $"POST /{ChallengePath}/to-ken_1 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"),
            StringComparison.Ordinal);
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
    public async Task Nothing_but_a_challenge_file_is_served_from_the_webroot(string target)
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

        var response = await SendRawAsync(
            frontDoor.Http, $"GET {target.Replace("LONG", new string('a', 5000), StringComparison.Ordinal)} HTTP/1.1\r\nHost: a\r\n");

        Assert.Matches("^HTTP/1.1 (404|400|308) ", response);
        Assert.DoesNotContain("SECRET", response, StringComparison.Ordinal);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("/rag", 200)]
    [InlineData("/rag/_stcore/health?x=%2F", 200)]
    [InlineData("/ragged", 404)]
    [InlineData("/Rag/", 404)]
    [InlineData("/other/rag/", 404)]
    [InlineData("/_ragagent/events", 200)]   // the agent's own path stays at the root
    public async Task An_app_with_a_base_path_gets_only_requests_below_it_and_unchanged(string target, int status)
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var port = FreePort.Find();
        using var frontDoor = FrontDoorFixture.CreateFrontDoor(
            agent, port, config: new AgentConfig { Image = "app", Listen = new ListenConfig { Http = port, BasePath = "/rag" } });
        await frontDoor.StartAsync(TestCancellation);

        Assert.StartsWith(
            $"HTTP/1.1 {status} ", await SendRawAsync(port, $"GET {target} HTTP/1.1\r\nHost: a\r\n"), StringComparison.Ordinal);
        Assert.Equal(
            status == 200 && target.StartsWith("/rag", StringComparison.Ordinal) ? [$"GET {target}"] : [],
            app.Requests.Select(request => request.ToString()));
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

    /// <summary>Sends the request as it is. A client library would normalize it.</summary>
    private static async Task<string> SendRawAsync(int port, string head)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port, TestCancellation);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{head}Connection: close\r\n\r\n"), TestCancellation);
        using var response = new StreamReader(client.GetStream());
        return await response.ReadToEndAsync(TestCancellation);
    }
}
