using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace RagAgent.IntegrationTests.Support;

/// <summary>Let's Encrypt's test server on loopback, with a DNS server that resolves every name to loopback.</summary>
internal sealed class PebbleServer : IAsyncDisposable
{
    private static readonly Dictionary<string, string> FastSettings = new()
    {
        ["PEBBLE_VA_NOSLEEP"] = "1",
        ["PEBBLE_WFE_NONCEREJECT"] = "0",
    };

    private readonly AgentProcess _dnsServer;
    private readonly AgentProcess _server;
    private readonly Uri _management;

    private PebbleServer(string folder, int httpPort, Func<int> port)
    {
        var (names, listen, management) = (port(), port(), port());
        Address = new Uri($"https://127.0.0.1:{listen}/dir");
        _management = new Uri($"https://127.0.0.1:{management}");
        TrustFile = Path.Combine(folder, "pebble.pem");
        var keyFile = Path.Combine(folder, "pebble.key");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        alternatives.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(alternatives.Build());
        OwnCertificate = request.CreateSelfSigned(TimeProvider.System.GetUtcNow().AddDays(-1), TimeProvider.System.GetUtcNow().AddDays(1));
        File.WriteAllText(TrustFile, OwnCertificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        var settings = Path.Combine(folder, "pebble.json");
        File.WriteAllText(settings, new JsonObject
        {
            ["pebble"] = new JsonObject
            {
                ["listenAddress"] = Address.Authority,
                ["managementListenAddress"] = _management.Authority,
                ["certificate"] = TrustFile,
                ["privateKey"] = keyFile,
                ["httpPort"] = httpPort,
                ["tlsPort"] = port(),
                ["ocspResponderURL"] = "",
                ["externalAccountBindingRequired"] = false,
            },
        }.ToJsonString());
        _dnsServer = new AgentProcess("pebble-challtestsrv",
            [
                "-dns01", $"127.0.0.1:{names}", "-management", $"127.0.0.1:{port()}",
                "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
            ],
            FastSettings);
        _server = new AgentProcess("pebble", ["-config", settings, "-dnsserver", $"127.0.0.1:{names}"], FastSettings);
    }

    /// <summary>The ACME directory URL.</summary>
    public Uri Address { get; }

    /// <summary>A PEM file with the certificate of the server's own HTTPS endpoint.</summary>
    public string TrustFile { get; }

    private X509Certificate2 OwnCertificate { get; }

    /// <param name="folder">Where it writes its files.</param>
    /// <param name="httpPort">The port for HTTP-01 challenges, instead of 80.</param>
    /// <param name="port">Returns a free port.</param>
    public static PebbleServer Start(string folder, int httpPort, Func<int> port) => new(folder, httpPort, port);

    /// <summary>The root of the certificates it issues, or null while the server does not answer yet.</summary>
    public async Task<X509Certificate2?> RootAsync(CancellationToken stopping)
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.GetCertHashString() == OwnCertificate.Thumbprint,
            },
        });
        try
        {
            await client.GetStringAsync(Address, stopping);
            return X509Certificate2.CreateFromPem(await client.GetStringAsync(new Uri(_management, "/roots/0"), stopping));
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public string Log => _server.Log;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _dnsServer.DisposeAsync();
        OwnCertificate.Dispose();
    }
}
