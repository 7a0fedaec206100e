using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy;
using RagAgent.Proxy.Forwarding;
using RagAgent.Proxy.Listening;
using RagAgent.Proxy.Tls;
using RagAgent.Tests.Support;

namespace RagAgent.Tests.Proxy;

/// <summary>A front door with HTTP and HTTPS, and a certificate authority that writes its files, before its start or later.</summary>
internal sealed class HttpsFrontDoorFixture : IAsyncDisposable
{
    private readonly FrontDoor _frontDoor;
    private readonly FakeTimeProvider _time;
    private readonly AgentClock _clock;

    private HttpsFrontDoorFixture(
        SupervisorFixture app,
        Func<HttpsFrontDoorFixture, AgentConfig> configure,
        bool issued,
        bool rsa,
        ActivationSockets? activation,
        int? http,
        int? https,
        ClientLimits? limits, ILoggerFactory? loggers)
    {
        _time = new FakeTimeProvider(Now);
        _clock = new AgentClock(_time);
        (Http, Https) = (http ?? FreePort.Find(), https ?? FreePort.Find());
        if (issued)
        {
            Serial = Authority.Issue(Now.AddDays(-1), TimeSpan.FromDays(90), rsa);
        }
        var config = configure(this);
        Certificates = new CertificateWatch(config, app.Board, _clock, new ListLogger<CertificateWatch>(LogMessages));
        InFlight = new InFlightRequests(app.Clock, Sample.DefaultPolicy);
        _frontDoor = FrontDoorFixture.CreateFrontDoor(
            app, Http, InFlight, activation, config: config, certificates: Certificates, loggers: loggers, limits: limits);
        Client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            SslOptions = Authority.ClientOptions(Now),
        });
    }

    public static DateTimeOffset Now { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public TestCertificateAuthority Authority { get; } = new();
    public CertificateWatch Certificates { get; }
    public InFlightRequests InFlight { get; }
    public HttpClient Client { get; }
    public List<string> LogMessages { get; } = [];
    public int Http { get; }
    public int Https { get; }
    public string? Serial { get; }

    public static async Task<HttpsFrontDoorFixture> StartAsync(
        SupervisorFixture app,
        CancellationToken stopping,
        TlsConfig? tls = null,
        bool issued = true,
        bool rsa = false,
        ActivationSockets? activation = null,
        int? http = null,
        int? https = null,
        ClientLimits? limits = null,
        ILoggerFactory? loggers = null)
    {
        var fixture = new HttpsFrontDoorFixture(app, self => new AgentConfig
        {
            Image = "app",
            Listen = new ListenConfig { Http = self.Http, Https = self.Https },
            Tls = (tls ?? new TlsConfig()) with { Certificate = self.Authority.Certificate, Key = self.Authority.Key },
        }, issued, rsa, activation, http, https, limits, loggers);
        await fixture.Certificates.StartAsync(stopping);
        await fixture._frontDoor.StartAsync(stopping);
        return fixture;
    }

    public Uri HttpUri(string path = "/") => new($"http://127.0.0.1:{Http}{path}");

    public Uri HttpsUri(string path = "/") => new($"https://127.0.0.1:{Https}{path}");

    /// <summary>Writes the next pair. The agent reads it when its clock advances.</summary>
    public string IssueNextCertificate(TimeSpan? lifetime = null) => Authority.Issue(Now.AddDays(-1), lifetime ?? TimeSpan.FromDays(90));

    /// <summary>Advances the agent's clock until the condition holds.</summary>
    public async Task AdvanceUntilAsync(Func<bool> condition, CancellationToken stopping)
    {
        while (!condition())
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, stopping);
        }
    }

    /// <summary>Opens a connection that stays open.</summary>
    /// <param name="chain">Receives the chain that the server sent.</param>
    /// <param name="protocols">What the client supports.</param>
    /// <param name="stopping">Cancels the attempt.</param>
    public async Task<SslStream> ConnectAsync(
        CancellationToken stopping, SslProtocols protocols = SslProtocols.None, Action<X509Chain>? chain = null)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, Https, stopping);
        var stream = new SslStream(socket.GetStream());
        var options = Authority.ClientOptions(Now, chain);
        options.EnabledSslProtocols = protocols;
        await stream.AuthenticateAsClientAsync(options, stopping);
        return stream;
    }

    /// <summary>The serial number of the certificate in a new handshake.</summary>
    public async Task<string> PresentedSerialAsync(CancellationToken stopping)
    {
        await using var stream = await ConnectAsync(stopping);
        return ((X509Certificate2)stream.RemoteCertificate!).SerialNumber;
    }

    /// <summary>Sends one request over a connection that stays open.</summary>
    public static async Task<string> GetStatusLineAsync(SslStream stream, CancellationToken stopping)
    {
        await stream.WriteAsync("GET / HTTP/1.1\r\nHost: rag.example.com\r\n\r\n"u8.ToArray(), stopping);
        // Reads the whole response, because the next one on this connection follows it.
        var response = new StringBuilder();
        var piece = new byte[2000];
        while (!IsComplete(response.ToString()) && await stream.ReadAsync(piece, stopping) is > 0 and var read)
        {
            response.Append(Encoding.ASCII.GetString(piece, 0, read));
        }
        return response.ToString().Split("\r\n")[0];
    }

    private static bool IsComplete(string response)
    {
        var end = response.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        return end >= 0 && (Regex.Match(response[..end], "(?i)content-length: ([0-9]+)") is { Success: true } length
            ? response.Length - end - 4 >= int.Parse(length.Groups[1].Value, CultureInfo.InvariantCulture)
            : response.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _frontDoor.StopAsync(CancellationToken.None);
        _frontDoor.Dispose();
        await Certificates.StopAsync(CancellationToken.None);
        Certificates.Dispose();
        Authority.Dispose();
    }
}
