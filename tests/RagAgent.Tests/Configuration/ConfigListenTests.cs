using RagAgent.Configuration;
using Xunit;
using static RagAgent.Tests.Configuration.ConfigText;

namespace RagAgent.Tests.Configuration;

/// <summary>The sections <c>listen</c> and <c>tls</c>, and the rules between them.</summary>
public class ConfigListenTests
{
    private const string CertificatePair = "\"certificate\": \"/l/fullchain.pem\", \"key\": \"/l/privkey.pem\"";
    private const string HttpsNeedsTls =
        "needs a certificate: set tls.certificate and tls.key, like \"/etc/letsencrypt/live/rag.example.com/fullchain.pem\" "
        + "and \"/etc/letsencrypt/live/rag.example.com/privkey.pem\"";

    [Fact]
    public void All_keys_of_listen_and_tls_are_read()
    {
        var listen = "\"listen\": { \"http\": 8080, \"https\": 8443, \"basePath\": \"/rag\" }";
        var tls = $"\"tls\": {{ {CertificatePair}, \"challenge\": \"/srv/acme\", \"redirect\": false, \"hsts\": \"8760h\" }}";

        var config = AssertAccepted(ConfigWith($"{listen}, {tls}"));

        Assert.Equal(new ListenConfig { Http = 8080, Https = 8443, BasePath = "/rag" }, config.Listen);
        Assert.Equal(
            new TlsConfig
            {
                Certificate = "/l/fullchain.pem",
                Key = "/l/privkey.pem",
                Challenge = "/srv/acme",
                Redirect = false,
                Hsts = TimeSpan.FromDays(365),
            },
            config.Tls);
    }

    [Theory]
    [InlineData("null", true)]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public void HTTP_redirects_to_HTTPS_unless_switched_off(string redirect, bool redirects)
    {
        var config = AssertAccepted(ConfigWith($"\"listen\": {{ \"https\": 443 }}, \"tls\": {{ {CertificatePair}, \"redirect\": {redirect} }}"));

        Assert.Equal(redirects, config.RedirectsToHttps);
        Assert.False(AssertAccepted(ConfigWith("\"tls\": { \"redirect\": null }")).RedirectsToHttps);
    }

    [Theory]
    [InlineData("\"tls\": null, \"listen\": { \"https\": null, \"basePath\": null }")]
    [InlineData("\"tls\": {}")]
    [InlineData("\"tls\": { \"challenge\": \"/srv/acme\" }")]   // before the first certificate
    [InlineData("\"tls\": { \"redirect\": false }")]
    public void Configurations_without_HTTPS_are_accepted(string members) =>
        Assert.Null(AssertAccepted(ConfigWith(members)).Listen.Https);

    [Theory]
    [InlineData("\"listen\": { \"https\": 443 }", "listen.https: " + HttpsNeedsTls)]
    [InlineData("\"listen\": { \"https\": 443 }, \"tls\": null", "listen.https: " + HttpsNeedsTls)]
    [InlineData(
        "\"listen\": { \"https\": 443 }, \"tls\": { \"certificate\": \"/c\" }",
        "tls.certificate: also needs its private key: set tls.key, like \"/etc/letsencrypt/live/rag.example.com/privkey.pem\"")]
    [InlineData("\"tls\": { \"key\": \"/k\" }", "tls.key: also needs its certificate: set tls.certificate, like \"/etc/letsencrypt/live/rag.example.com/fullchain.pem\"")]
    [InlineData("\"tls\": { " + CertificatePair + " }", "tls.certificate: requires listen.https; set it, like \"listen\": { \"https\": 443 }")]
    [InlineData("\"tls\": { \"redirect\": true }", "tls.redirect: can't be true without listen.https: there is no HTTPS to redirect clients to")]
    [InlineData("\"tls\": { \"hsts\": \"1h\" }", "tls.hsts: requires listen.https: it is sent only in HTTPS responses")]
    [InlineData("\"listen\": { \"https\": 80 }, \"tls\": { " + CertificatePair + " }", "listen.https: must differ from listen.http (80); use 443, for example")]
    [InlineData("\"listen\": { \"https\": \"443\" }", "listen.https: must be a port like 443, or null, but is a string; remove the quotes")]
    [InlineData(
        "\"listen\": { \"https\": 443 }, \"tls\": { \"certificate\": \"c.pem\", \"key\": \"/k\" }",
        "tls.certificate: must be an absolute path, beginning with '/', but is \"c.pem\"")]
    [InlineData("\"tls\": { \"hsts\": 31536000 }", "tls.hsts: must be a duration like \"24h\", but is a number; write \"24h\"")]
    [InlineData("\"tls\": { \"challenge\": \"acme\" }", "tls.challenge: must be an absolute path, beginning with '/', but is \"acme\"")]
    [InlineData("\"listen\": { \"basePath\": \"rag\" }", "listen.basePath: must begin with '/', but is \"rag\"; for example, \"/rag\"")]
    [InlineData("\"listen\": { \"basePath\": \"/rag/\" }", "listen.basePath: must not end with '/', but is \"/rag/\"; write \"/rag\"")]
    [InlineData("\"listen\": { \"basePath\": \"/\" }", "listen.basePath: must be a path below '/', but is \"/\"; for an app at '/', use null")]
    [InlineData("\"listen\": { \"basePath\": \"/a//b\" }", "listen.basePath: must consist of letters, digits, '-', '_', '.' and '~' between single slashes, but is \"/a//b\"")]
    [InlineData("\"listen\": { \"basePath\": \"/a/../b\" }", "listen.basePath: must consist of letters, digits, '-', '_', '.' and '~' between single slashes, but is \"/a/../b\"")]
    [InlineData(
        "\"listen\": { \"basePath\": \"/_ragagent/x\" }",
        "listen.basePath: must not begin with '/_ragagent' or '/.well-known', but is \"/_ragagent/x\"; the agent uses these paths")]
    // the value is never shown
    [InlineData(
        "\"tls\": { \"certificate\": \"/c\", \"key\": \"-----BEGIN PRIVATE KEY-----\" }",
        "tls.key: must be an absolute path, beginning with '/'")]
    public void A_contradiction_of_listen_and_tls_is_rejected_once_with_the_solution(string members, string expected) =>
        Assert.Equal(expected, AssertSingleError(ConfigWith(members)));
}
