using RagAgent.Configuration.Errors;
using RagAgent.Configuration.Values;

namespace RagAgent.Configuration.Binding;

/// <summary>The sections <c>listen</c> and <c>tls</c>, and the rules between them.</summary>
internal static class FrontDoorBinder
{
    private const string CertbotDirectory = "/etc/letsencrypt/live/rag.example.com";
    private const string NeedsCertificate =
        $"needs a certificate: set tls.certificate and tls.key, like \"{CertbotDirectory}/fullchain.pem\" and \"{CertbotDirectory}/privkey.pem\"";

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
                section.AddError("certificate", $"also needs its private key: set tls.key, like \"{CertbotDirectory}/privkey.pem\"");
                break;
            case { Certificate: null, Key: not null }:
                section.AddError("key", $"also needs its certificate: set tls.certificate, like \"{CertbotDirectory}/fullchain.pem\"");
                break;
            case { Certificate: null } when listen.Https is not null:
                listenSection.AddError("https", NeedsCertificate);
                break;
            case { Certificate: not null } when listen.Https is null:
                section.AddError("certificate", "requires listen.https; set it, like \"listen\": { \"https\": 443 }");
                break;
        }

        if (listen.Https is null)
        {
            if (tls.Redirect is true)
            {
                section.AddError("redirect", "can't be true without listen.https: there is no HTTPS to redirect clients to");
            }

            if (tls.Hsts is not null)
            {
                section.AddError("hsts", "requires listen.https: it is sent only in HTTPS responses");
            }
        }

        return (listen, tls);
    }

    private static ListenConfig BindListen(ConfigSection section)
    {
        var defaults = new ListenConfig();
        var http = section.Read("http", defaults.Http, ValueParsers.Port(defaults.Http));
        var https = section.Read("https", null, ValueParsers.OrNull(ValueParsers.Integer(1, 65535, "a port like 443, or null")));
        if (https == http && section.AreValid("http"))
        {
            section.AddError("https", ErrorMessages.Must($"differ from listen.http ({http})", null, "use 443, for example"));
        }

        return new ListenConfig
        {
            Http = http,
            Https = https,
            BasePath = section.Read(
                "basePath",
                null,
                ValueParsers.OrNull(ValueParsers.String("a path like \"/rag\", or null", PathRules.ValidateBasePath))),
        };
    }

    private static TlsConfig BindTls(ConfigSection section)
    {
        return new TlsConfig
        {
            Certificate = ReadPath("certificate", $"{CertbotDirectory}/fullchain.pem"),
            Key = ReadPath("key", $"{CertbotDirectory}/privkey.pem"),
            Challenge = ReadPath("challenge", "/srv/acme"),
            Redirect = section.Read("redirect", null, ValueParsers.OrNull<bool>(ValueParsers.Boolean)),
            // Zero makes browsers forget it.
            Hsts = section.Read("hsts", null, ValueParsers.OrNull(ValueParsers.DurationBetween(TimeSpan.Zero, TimeSpan.FromDays(730), "24h"))),
        };

        string? ReadPath(string key, string example)
        {
            var isSecret = KnownKeys.Join("tls", key) == KnownKeys.PrivateKey;
            var parser = ValueParsers.String($"a path like \"{example}\", or null", PathRules.ValidateAbsolute, isSecret);
            return section.Read(key, null, ValueParsers.OrNull(parser));
        }
    }
}
