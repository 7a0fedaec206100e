using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace RagAgent.Proxy.Tls;

/// <summary>A certificate with its private key, ready for handshakes.</summary>
internal sealed class Certificate
{
    // What certbot renews by itself is renewed a third of its life before; this late, something is wrong with that.
    private static readonly TimeSpan ExpiryWarningTime = TimeSpan.FromDays(14);

    /// <param name="leaf">With its private key.</param>
    /// <param name="chain">What stands behind it in the file, in any order.</param>
    /// <param name="fingerprint">Of both files.</param>
    public Certificate(X509Certificate2 leaf, X509Certificate2Collection chain, string fingerprint)
    {
        Fingerprint = fingerprint;
        // Offline: what is not in the file is not fetched from an address that stands in a certificate.
        Context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
        Names = NamesOf(leaf);
        Issuer = leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: true);
        NotBefore = new DateTimeOffset(leaf.NotBefore.ToUniversalTime());
        NotAfter = new DateTimeOffset(leaf.NotAfter.ToUniversalTime());
        var issuer = leaf.IssuerName.RawData;
        HasIssuerCertificate = chain.Append(leaf).Any(other => other.SubjectName.RawData.AsSpan().SequenceEqual(issuer));
    }

    public string Fingerprint { get; }

    public SslStreamCertificateContext Context { get; }

    /// <summary>The host names and addresses that it is for.</summary>
    public IReadOnlyList<string> Names { get; }

    public string Issuer { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>Who signed it stands in the file, too, or it has signed itself.</summary>
    public bool HasIssuerCertificate { get; }

    /// <summary>It should have been renewed by now: 14 days before its end, or a third of its life when that is shorter.</summary>
    public bool NeedsRenewal(DateTimeOffset now) => now > NotAfter - Min(ExpiryWarningTime, (NotAfter - NotBefore) / 3);

    public override string ToString() => string.Join(", ", Names);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static string[] NamesOf(X509Certificate2 leaf)
    {
        var named = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString()))).ToArray();
        return named.Length > 0 ? named : [leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false)];
    }
}
