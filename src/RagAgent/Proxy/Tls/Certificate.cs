using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace RagAgent.Proxy.Tls;

/// <summary>A certificate with its private key, ready for handshakes.</summary>
internal sealed class Certificate
{
    // certbot renews when a third of the lifetime is left. Later than this, something is wrong with the renewal.
    private static readonly TimeSpan ExpiryWarningTime = TimeSpan.FromDays(14);

    /// <param name="leaf">The certificate with its private key.</param>
    /// <param name="chain">The other certificates in the file, in any order.</param>
    /// <param name="fingerprint">A hash of both files.</param>
    public Certificate(X509Certificate2 leaf, X509Certificate2Collection chain, string fingerprint)
    {
        Fingerprint = fingerprint;
        // Offline: missing issuers are not downloaded from an address in the certificate.
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

    /// <summary>The host names and IP addresses that it is valid for.</summary>
    public IReadOnlyList<string> Names { get; }

    public string Issuer { get; }

    public DateTimeOffset NotBefore { get; }

    public DateTimeOffset NotAfter { get; }

    /// <summary>Whether the file also holds the certificate that signed this one, or it is self-signed.</summary>
    public bool HasIssuerCertificate { get; }

    /// <summary>Whether it should have been renewed by now: 14 days before it expires, or a third of its lifetime if less.</summary>
    public bool NeedsRenewal(DateTimeOffset now) => now > NotAfter - Min(ExpiryWarningTime, (NotAfter - NotBefore) / 3);

    public override string ToString() => string.Join(", ", Names);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static string[] NamesOf(X509Certificate2 leaf)
    {
        var alternatives = leaf.Extensions.OfType<X509SubjectAlternativeNameExtension>()
            .SelectMany(names => names.EnumerateDnsNames().Concat(names.EnumerateIPAddresses().Select(address => address.ToString())))
            .ToArray();
        return alternatives.Length > 0 ? alternatives : [leaf.GetNameInfo(X509NameType.SimpleName, forIssuer: false)];
    }
}
