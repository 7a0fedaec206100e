using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The sections <c>listen</c> and <c>tls</c>, and the rules between them.</summary>
internal static class FrontDoorBinder
{
    private const string CertbotDirectory = "/etc/letsencrypt/live/rag.example.com";

    public static (ListenConfig Listen, TlsConfig Tls) Bind(ConfigSection file)
    {
        var listenSection = file.Child("listen");
        var listen = BindListen(listenSection);
        if (file.IsNull("tls"))
        {
            if (listen.Https is not null)
            {
                listenSection.AddError("https", NeedsCertificate);
            }

            return (listen, new TlsConfig());
        }

        var section = file.Child("tls");
        var tls = BindTls(section);
        if (!section.AreValid("certificate", "key") || !listenSection.AreValid("https"))
        {
            return (listen, tls);
        }

        switch (tls)
        {
            case { Certificate: not null, Key: null }:
                section.AddError("certificate", $"needs its private key as well: set tls.key, like \"{CertbotDirectory}/privkey.pem\"");
                break;
            case { Certificate: null, Key: not null }:
                section.AddError("key", $"needs its certificate as well: set tls.certificate, like \"{CertbotDirectory}/fullchain.pem\"");
                break;
            case { Certificate: null } when listen.Https is not null:
                listenSection.AddError("https", NeedsCertificate);
                break;
            case { Certificate: not null } when listen.Https is null:
                section.AddError("certificate", "is of no use without listen.https; set it, like \"listen\": { \"https\": 443 }");
                break;
        }

        if (listen.Https is null)
        {
            if (tls.Redirect is true)
            {
                section.AddError("redirect", "can't be true without listen.https: there is no HTTPS to lead visitors to");
            }

            if (tls.Hsts is not null)
            {
                section.AddError("hsts", "is of no use without listen.https: it is sent with HTTPS answers only");
            }
        }

        return (listen, tls);
    }

    private const string NeedsCertificate = $"needs a certificate: set tls.certificate and tls.key, like \"{CertbotDirectory}/fullchain.pem\" and \"{CertbotDirectory}/privkey.pem\"";

    private static ListenConfig BindListen(ConfigSection section)
    {
        var defaults = new ListenConfig();
        var http = section.Read("http", defaults.Http, ValueParsers.Port(defaults.Http));
        var https = section.Read("https", null, ValueParsers.OrNull(ValueParsers.Integer(1, 65535, "a port like 443, or null")));
        if (https == http && section.AreValid("http"))
        {
            section.AddError("https", ErrorMessages.Must($"be another port than listen.http ({http})", null, "like 443"));
        }

        return new ListenConfig
        {
            Http = http,
            Https = https,
            BasePath = section.Read("basePath", null, ValueParsers.OrNull(ValueParsers.String("a path like \"/rag\", or null", PathRules.ValidateBasePath))),
        };
    }

    private static TlsConfig BindTls(ConfigSection section)
    {
        string? File(string key, string example) => section.Read(key, null, ValueParsers.OrNull(ValueParsers.String($"a path like \"{example}\", or null", PathRules.ValidateAbsolute, secret: KnownKeys.Join("tls", key) == KnownKeys.PrivateKey)));
        return new TlsConfig
        {
            Certificate = File("certificate", $"{CertbotDirectory}/fullchain.pem"),
            Key = File("key", $"{CertbotDirectory}/privkey.pem"),
            Challenge = File("challenge", "/srv/acme"),
            Redirect = section.Read("redirect", null, ValueParsers.OrNull<bool>(ValueParsers.Boolean)),
            // 0: browsers shall forget it.
            Hsts = section.Read("hsts", null, ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromDays(730), "24h"))),
        };
    }
}
