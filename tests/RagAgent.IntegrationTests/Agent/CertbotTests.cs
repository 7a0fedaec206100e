using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using RagAgent.IntegrationTests.Support;
using Xunit;

namespace RagAgent.IntegrationTests.Agent;

/// <summary>docs/https.md with the real certbot and Let's Encrypt's test server.</summary>
public sealed class CertbotTests(EngineFixture engineFixture) : AgentTestBase(engineFixture)
{
    private const string Domain = "rag.example.com";

    [Fact]
    public async Task Certbot_gets_and_renews_a_certificate_through_the_agents_port()
    {
        (await EngineFixture.RunScriptAsync("scripts/apt-install.sh", "pebble", "certbot")).AssertSucceeded();
        var pebble = DisposeWithTest(PebbleServer.Start(Folder, Port, FreePort));
        X509Certificate2? root = null;
        await WaitUntilAsync(
            async () => (root = await pebble.RootAsync(TestCancellation)) is not null, "the certificate authority answers");
        var https = FreePort();
        var webroot = Directory.CreateDirectory(Path.Combine(Folder, "acme")).FullName;
        var lineage = Path.Combine(Folder, "letsencrypt", "live", Domain);
        Config["listen"]!["https"] = https;
        Config["tls"] = new JsonObject
        {
            ["certificate"] = Path.Combine(lineage, "fullchain.pem"),
            ["key"] = Path.Combine(lineage, "privkey.pem"),
            ["challenge"] = webroot,
        };
        await PushAsync();

        // Without a certificate the app runs, but no client gets it over plain HTTP.
        var agent = StartAgent();
        var closed = await WaitForAsync(s => s.App.State == "serving", "the app serves behind the closed front door");
        Assert.Equal((false, "certificate-missing"), (closed.FrontDoor.Open, Assert.Single(closed.Problems).Code));
        Assert.Equal(1, (await RequestAsync("status")).ExitCode);
        var (status, sentence) = await GetAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.StartsWith("This page requires HTTPS", sentence, StringComparison.Ordinal);

        // certbot requests, the authority validates through the agent's port, and HTTPS starts automatically.
        await CertbotAsync(
            pebble, "certonly", "--webroot", "-w", webroot, "-d", Domain, "--agree-tos", "--register-unsafely-without-email");
        var open = await WaitForAsync(s => s is { FrontDoor: { Open: true, Https.Names.Count: > 0 }, Problems: [] }, "HTTPS begins");
        Assert.Equal([Domain], open.FrontDoor.Https!.Names);
        Assert.Equal(0, (await RequestAsync("status")).ExitCode);
        await using var early = await ConnectAsync(https, root!);
        Assert.Equal("HTTP/1.1 200 OK", await SendRequestAsync(early));
        Assert.Equal(HttpStatusCode.PermanentRedirect, (await GetAsync("/a")).Status);
        var first = Serial(early);

        // The service reads the key through its group. A renewal keeps the group and the mode of key and folders.
        var archive = Path.Combine(Folder, "letsencrypt", "archive");
        await RunAsync("chmod", "755", Path.Combine(Folder, "letsencrypt", "live"), archive);
        await RunAsync("chgrp", "65534", Path.Combine(archive, Domain, "privkey1.pem"));
        await RunAsync("chmod", "640", Path.Combine(archive, Domain, "privkey1.pem"));

        await CertbotAsync(pebble, "renew", "--force-renewal");
        await WaitUntilAsync(async () =>
        {
            await using var next = await ConnectAsync(https, root!);
            return Serial(next) != first;
        }, "the renewal is used");

        Assert.Equal("HTTP/1.1 200 OK", await SendRequestAsync(early));
        Assert.Equal("640 65534", await RunAsync("stat", "--format", "%a %g", Path.Combine(archive, Domain, "privkey2.pem")));
        Assert.Equal("755\n755", await RunAsync("stat", "--format", "%a", Path.Combine(Folder, "letsencrypt", "live"), archive));
        Assert.Equal(2, agent.Log.Split($"Now serving HTTPS with the certificate for {Domain}").Length - 1);
        Assert.DoesNotContain("does not belong to", agent.Log, StringComparison.Ordinal);
    }

    private async Task CertbotAsync(PebbleServer pebble, params string[] arguments)
    {
        string[] folders =
        [
            "--config-dir", Path.Combine(Folder, "letsencrypt"),
            "--work-dir", Path.Combine(Folder, "certbot"),
            "--logs-dir", Path.Combine(Folder, "certbot"),
        ];
        var result = await ProcessRunner.RunAsync(
            "certbot",
            [.. arguments, "--server", pebble.Address.ToString(), "--non-interactive", "--no-random-sleep-on-renew", .. folders],
            new Dictionary<string, string> { ["REQUESTS_CA_BUNDLE"] = pebble.TrustFile },
            stopping: TestCancellation);
        Assert.True(result.ExitCode == 0, $"certbot: {result.Output}\n{result.Error}\n{pebble.Log}");
    }

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await ProcessRunner.RunAsync(program, arguments, stopping: TestCancellation)).AssertSucceeded();

    /// <summary>Connects as a browser that trusts only the authority's root.</summary>
    private static async Task<SslStream> ConnectAsync(int port, X509Certificate2 root)
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, port, TestCancellation);
        var stream = new SslStream(socket.GetStream());
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(root);
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = Domain, CertificateChainPolicy = policy }, TestCancellation);
        return stream;
    }

    private static string Serial(SslStream stream) => ((X509Certificate2)stream.RemoteCertificate!).SerialNumber;

    private static async Task<string> SendRequestAsync(SslStream stream)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET /_stcore/health HTTP/1.1\r\nHost: {Domain}\r\n\r\n"), TestCancellation);
        var response = new byte[4000];
        return Encoding.ASCII.GetString(response, 0, await stream.ReadAsync(response, TestCancellation)).Split("\r\n")[0];
    }
}
