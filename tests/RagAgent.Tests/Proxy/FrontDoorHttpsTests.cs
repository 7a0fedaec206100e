using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Text;
using Microsoft.AspNetCore.Http;
using RagAgent.Configuration;
using RagAgent.Proxy.Listening;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>The front door with a certificate.</summary>
public class FrontDoorHttpsTests
{
    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(false, "1.1")]
    [InlineData(false, "2.0")]
    [InlineData(true, "1.1")]
    [InlineData(true, "2.0")]
    public async Task HTTP_1_1_and_HTTP_2_reach_the_app_with_an_RSA_or_ECDSA_key(bool rsa, string version)
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, rsa: rsa);

        using var request = new HttpRequestMessage(HttpMethod.Get, frontDoor.HttpsUri("/a?b=c"))
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var response = await frontDoor.Client.SendAsync(request, TestCancellation);

        Assert.Equal(("hello", version), (await response.Content.ReadAsStringAsync(TestCancellation), response.Version.ToString()));
        var arrived = Assert.Single(app.Requests);
        Assert.Equal(("GET /a?b=c", "https", $"127.0.0.1:{frontDoor.Https}", $"127.0.0.1:{frontDoor.Https}"),
            (arrived.ToString(), arrived.Headers["X-Forwarded-Proto"], arrived.Headers["X-Forwarded-Host"], arrived.Headers["Host"]));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task TLS_1_2_and_1_3_are_supported(SslProtocols protocol)
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);

        await using var connection = await frontDoor.ConnectAsync(TestCancellation, protocol);

        Assert.Equal(protocol, connection.SslProtocol);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData(3, 22, null)]   // TLS 1.2: a handshake record follows
    [InlineData(2, 21, 70)]     // TLS 1.1: an alert, protocol_version
    [InlineData(1, 21, 70)]
    public async Task The_server_itself_refuses_TLS_older_than_1_2(byte minor, byte record, int? alert)
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, rsa: true);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, frontDoor.Https, TestCancellation);

        await client.GetStream().WriteAsync(ClientHello(minor), TestCancellation);
        var response = new byte[7];
        await client.GetStream().ReadExactlyAsync(response, TestCancellation);

        Assert.Equal(record, response[0]);
        Assert.True(alert is null || response[6] == alert, $"alert {response[6]}");
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task The_server_sends_the_chain_without_the_root()
    {
        await using var agent = new SupervisorFixture();
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        var sent = new List<string>();

        await using var connection = await frontDoor.ConnectAsync(
            TestCancellation, chain: chain => sent.AddRange(chain.ChainPolicy.ExtraStore.Select(certificate => certificate.Thumbprint)));

        Assert.Equal([frontDoor.Authority.IntermediateThumbprint], sent.Except([connection.RemoteCertificate!.GetCertHashString()]));
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task A_WebSocket_over_HTTP_1_1_or_HTTP_2_reaches_the_app_and_counts_as_a_session(string version)
    {
        await using var app = await TestServer.StartAsync(TestServer.EchoAsync);
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        using var invoker = CreateInvoker(frontDoor);
        using var socket = await OpenWebSocketAsync(frontDoor, invoker, version);
        await agent.WaitForAsync(state => state.Sessions is { Count: 1, Opaque: 0 }, TestCancellation);

        await socket.SendAsync("hello"u8.ToArray(), WebSocketMessageType.Text, true, TestCancellation);
        var buffer = new byte[100];
        var got = await socket.ReceiveAsync(buffer, TestCancellation);

        Assert.Equal(("hello", "streamlit"), (Encoding.UTF8.GetString(buffer, 0, got.Count), socket.SubProtocol));
        await agent.WaitForAsync(state => state.Sessions is { Count: 1, Opaque: 1 }, TestCancellation);   // Streamlit sends no text
        var arrived = app.Requests[0];
        Assert.Equal(("GET /_stcore/stream", "https", $"127.0.0.1:{frontDoor.Https}", $"https://127.0.0.1:{frontDoor.Https}"),
            (arrived.ToString(), arrived.Headers["X-Forwarded-Proto"], arrived.Headers["Host"], arrived.Headers["Origin"]));
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestCancellation);
        await agent.WaitForAsync(state => state.Sessions.Count == 0, TestCancellation);
    }

    [Theory(Timeout = TestTimeouts.Milliseconds)]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task When_the_agent_stops_a_WebSocket_over_HTTP_1_1_or_HTTP_2_is_closed_with_service_restart(string version)
    {
        await using var app = await TestServer.StartAsync(TestServer.EchoAsync);
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        using var invoker = CreateInvoker(frontDoor);
        using var socket = await OpenWebSocketAsync(frontDoor, invoker, version);
        // The client may see the end of the handshake before the front door does.
        await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, TestCancellation);
        await socket.ReceiveAsync(new byte[100], TestCancellation);

        var stopping = frontDoor.DisposeAsync();
        var received = await socket.ReceiveAsync(new byte[100], TestCancellation);
        await stopping;

        Assert.Equal((WebSocketMessageType.Close, 1012), (received.MessageType, (int)received.CloseStatus!));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_renewed_certificate_serves_the_next_handshake_and_open_connections_continue()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation);
        await using var early = await frontDoor.ConnectAsync(TestCancellation);
        Assert.Equal("HTTP/1.1 200 OK", await HttpsFrontDoorFixture.GetStatusLineAsync(early, TestCancellation));
        Assert.Equal(frontDoor.Serial, await frontDoor.PresentedSerialAsync(TestCancellation));
        var first = frontDoor.Certificates.Current;

        var renewed = frontDoor.IssueNextCertificate();
        await frontDoor.AdvanceUntilAsync(() => frontDoor.Certificates.Current != first, TestCancellation);

        Assert.Equal(renewed, await frontDoor.PresentedSerialAsync(TestCancellation));
        Assert.Equal("HTTP/1.1 200 OK", await HttpsFrontDoorFixture.GetStatusLineAsync(early, TestCancellation));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_a_certificate_HTTP_answers_503_and_HTTPS_starts_once_one_exists()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, issued: false);

        var closed = await agent.WaitForAsync(state => state.FrontDoor.Problem is not null, TestCancellation);
        Assert.Equal((false, "certificate-missing"), (closed.FrontDoor.IsOpen, closed.FrontDoor.Problem!.Code));
        using (var unavailable = await frontDoor.Client.GetAsync(frontDoor.HttpUri(), TestCancellation))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, unavailable.StatusCode);
            Assert.Equal(
                "This page requires HTTPS, and there is no usable certificate yet. The operator can see why with 'ragagent status'.\n",
                await unavailable.Content.ReadAsStringAsync(TestCancellation));
        }
        await Assert.ThrowsAnyAsync<Exception>(() => frontDoor.ConnectAsync(TestCancellation));

        frontDoor.IssueNextCertificate();
        await frontDoor.AdvanceUntilAsync(() => frontDoor.Certificates.Current is not null, TestCancellation);

        await agent.WaitForAsync(state => state.FrontDoor.IsOpen, TestCancellation);
        using var response = await frontDoor.Client.GetAsync(frontDoor.HttpsUri(), TestCancellation);
        Assert.Equal("hello", await response.Content.ReadAsStringAsync(TestCancellation));
        using var redirect = await frontDoor.Client.GetAsync(frontDoor.HttpUri(), TestCancellation);
        Assert.Equal(HttpStatusCode.PermanentRedirect, redirect.StatusCode);
        Assert.DoesNotContain(app.Requests, request => request.Headers["X-Forwarded-Proto"] != "https");
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_taken_HTTPS_port_is_reported_with_the_listen_https_key()
    {
        await using var agent = new SupervisorFixture();
        await agent.StartAsync(TestCancellation);
        var port = FreePort.Find();
        using var other = new TcpListener(IPAddress.IPv6Any, port);
        other.Server.DualMode = true;
        other.Start();

        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(agent, TestCancellation, https: port);

        var closed = await agent.WaitForAsync(state => state.FrontDoor.Problem is not null, TestCancellation);
        Assert.Equal(
            ("listen-port-taken", $"The front door can't open port {port}: another program uses it."),
            (closed.FrontDoor.Problem!.Code, closed.FrontDoor.Problem.What));
        Assert.Contains("set listen.https in the configuration", closed.FrontDoor.Problem.Remedy, StringComparison.Ordinal);
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task A_connection_to_an_activated_HTTPS_port_waits_for_the_next_agent()
    {
        await using var agent = new SupervisorFixture();
        await agent.StartAsync(TestCancellation);
        using var http = CreateHeldSocket(out var httpPort);
        using var https = CreateHeldSocket(out var httpsPort);
        var activation = ActivationSockets.FromDescriptors([(int)http.Handle, (int)https.Handle]);

        for (var round = 1; round <= 3; round++)
        {
            using var early = new TcpClient();
            await early.ConnectAsync(IPAddress.Loopback, httpsPort, TestCancellation);
            await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(
                agent, TestCancellation, activation: activation, http: httpPort, https: httpsPort);
            await using var connection = new SslStream(early.GetStream());
            await connection.AuthenticateAsClientAsync(frontDoor.Authority.ClientOptions(HttpsFrontDoorFixture.Now), TestCancellation);
            // from the app, or from whatever has its port here
            Assert.StartsWith(
                "HTTP/1.1 ", await HttpsFrontDoorFixture.GetStatusLineAsync(connection, TestCancellation), StringComparison.Ordinal);
        }
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task HSTS_is_sent_over_HTTPS_only_and_replaces_the_apps_header()
    {
        await using var app = await TestServer.StartAsync(context =>
        {
            context.Response.Headers.StrictTransportSecurity = "max-age=1; includeSubDomains";
            return Task.CompletedTask;
        });
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(
            agent, TestCancellation, new TlsConfig { Hsts = TimeSpan.FromHours(8760) });

        using var secure = await frontDoor.Client.GetAsync(frontDoor.HttpsUri(), TestCancellation);
        using var plain = await frontDoor.Client.GetAsync(frontDoor.HttpUri(), TestCancellation);

        Assert.Equal(["max-age=31536000"], secure.Headers.GetValues("Strict-Transport-Security"));
        Assert.False(plain.Headers.Contains("Strict-Transport-Security"));
    }

    [Fact(Timeout = TestTimeouts.Milliseconds)]
    public async Task Without_the_redirect_the_app_is_also_served_over_HTTP()
    {
        await using var app = await TestServer.StartAsync(context => context.Response.WriteAsync("hello"));
        await using var agent = new SupervisorFixture(app.Port);
        await agent.StartAsync(TestCancellation);
        await using var frontDoor = await HttpsFrontDoorFixture.StartAsync(
            agent, TestCancellation, new TlsConfig { Redirect = false }, issued: false);

        using var response = await frontDoor.Client.GetAsync(frontDoor.HttpUri(), TestCancellation);

        Assert.Equal("hello", await response.Content.ReadAsStringAsync(TestCancellation));
        Assert.Contains(
            frontDoor.LogMessages,
            line => line.StartsWith($"The certificate {frontDoor.Authority.Certificate} does not exist.", StringComparison.Ordinal));
    }

    private static CancellationToken TestCancellation => TestContext.Current.CancellationToken;

    private static Socket CreateHeldSocket(out int port)
    {
        var held = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
        held.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        held.Listen();
        port = ((IPEndPoint)held.LocalEndPoint!).Port;
        return held;
    }

    /// <summary>A ClientHello as in RFC 5246. No client library still sends one for an old version.</summary>
    private static byte[] ClientHello(byte minor)
    {
        byte[] suites = [0xC0, 0x2F, 0xC0, 0x14, 0xC0, 0x13, 0x00, 0x35, 0x00, 0x2F];
        byte[] extensions =
        [
            0x00, 0x0A, 0x00, 0x04, 0x00, 0x02, 0x00, 0x17, 0x00, 0x0B, 0x00, 0x02, 0x01, 0x00, 0x00, 0x0D, 0x00, 0x06, 0x00, 0x04, 0x04,
            0x01, 0x08, 0x04,
        ];
        byte[] body = [3, minor, .. new byte[32], 0, 0, (byte)suites.Length, .. suites, 1, 0, 0, (byte)extensions.Length, .. extensions];
        byte[] handshake = [1, 0, 0, (byte)body.Length, .. body];
        return [22, 3, 1, 0, (byte)handshake.Length, .. handshake];
    }

    private static HttpMessageInvoker CreateInvoker(HttpsFrontDoorFixture frontDoor) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        SslOptions = frontDoor.Authority.ClientOptions(HttpsFrontDoorFixture.Now),
    });

    private static async Task<ClientWebSocket> OpenWebSocketAsync(
        HttpsFrontDoorFixture frontDoor, HttpMessageInvoker invoker, string version)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = Version.Parse(version);
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.AddSubProtocol("streamlit");
        socket.Options.SetRequestHeader("Origin", $"https://127.0.0.1:{frontDoor.Https}");
        await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{frontDoor.Https}/_stcore/stream"), invoker, TestCancellation);
        return socket;
    }
}
