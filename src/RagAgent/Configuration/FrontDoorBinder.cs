namespace RagAgent.Configuration;

/// <summary>The sections <c>listen</c> and <c>tls</c>, and the rules between them.</summary>
internal static class FrontDoorBinder
{
    private const string Live = "/etc/letsencrypt/live/rag.example.com";

    public static (ListenConfig Listen, TlsConfig Tls) Bind(Section file)
    {
        Section doors = file.Child("listen");
        ListenConfig listen = Listen(doors);
        if (file.IsNull("tls"))
        {
            if (listen.Https is not null) doors.Refuse("https", NeedsCertificate);
            return (listen, new TlsConfig());
        }

        Section section = file.Child("tls");
        TlsConfig tls = Tls(section);
        if (!section.AreSound("certificate", "key") || !doors.AreSound("https")) return (listen, tls);
        switch (tls)
        {
            case { Certificate: not null, Key: null }:
                section.Refuse("certificate", $"needs its private key as well: set tls.key, like \"{Live}/privkey.pem\"");
                break;
            case { Certificate: null, Key: not null }:
                section.Refuse("key", $"needs its certificate as well: set tls.certificate, like \"{Live}/fullchain.pem\"");
                break;
            case { Certificate: null } when listen.Https is not null:
                doors.Refuse("https", NeedsCertificate);
                break;
            case { Certificate: not null } when listen.Https is null:
                section.Refuse("certificate", "is of no use without listen.https; set it, like \"listen\": { \"https\": 443 }");
                break;
        }

        if (listen.Https is null)
        {
            if (tls.Redirect is true) section.Refuse("redirect", "can't be true without listen.https: there is no HTTPS to lead visitors to");
            if (tls.Hsts is not null) section.Refuse("hsts", "is of no use without listen.https: it is sent with HTTPS answers only");
        }

        return (listen, tls);
    }

    private const string NeedsCertificate = $"needs a certificate: set tls.certificate and tls.key, like \"{Live}/fullchain.pem\" and \"{Live}/privkey.pem\"";

    private static ListenConfig Listen(Section section)
    {
        var defaults = new ListenConfig();
        int http = section.Read("http", defaults.Http, Kinds.Port(defaults.Http));
        int? https = section.Read("https", null, Kinds.OrNull(Kinds.Whole(1, 65535, "a port like 443, or null")));
        if (https == http && section.AreSound("http")) section.Refuse("https", Say.Must($"be another port than listen.http ({http})", null, "like 443"));
        return new ListenConfig
        {
            Http = http,
            Https = https,
            BasePath = section.Read("basePath", null, Kinds.OrNull(Kinds.Text("a path like \"/rag\", or null", PathRules.Base))),
        };
    }

    private static TlsConfig Tls(Section section)
    {
        string? File(string key, string example) => section.Read(key, null, Kinds.OrNull(Kinds.Text($"a path like \"{example}\", or null", PathRules.Absolute, secret: KnownKeys.Join("tls", key) == KnownKeys.PrivateKey)));
        return new TlsConfig
        {
            Certificate = File("certificate", $"{Live}/fullchain.pem"),
            Key = File("key", $"{Live}/privkey.pem"),
            Challenge = File("challenge", "/srv/acme"),
            Redirect = section.Read("redirect", null, Kinds.OrNull<bool>(Kinds.Flag)),
            // 0: browsers shall forget it.
            Hsts = section.Read("hsts", null, Kinds.OrNull(Kinds.Span(TimeSpan.Zero, TimeSpan.FromDays(730), "24h"))),
        };
    }
}
