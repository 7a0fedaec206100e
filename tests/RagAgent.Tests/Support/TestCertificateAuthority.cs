using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RagAgent.Tests.Support;

/// <summary>A certificate authority with a root and an intermediate. It writes certificate and key to a folder, as certbot does.</summary>
internal sealed class TestCertificateAuthority : IDisposable
{
    private readonly X509Certificate2 _root;
    private readonly X509Certificate2 _intermediate;

    public TestCertificateAuthority()
    {
        var (notBefore, notAfter) = (DateTimeOffset.UnixEpoch, new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _root = CreateAuthorityRequest("CN=Test Root", rootKey).CreateSelfSigned(notBefore, notAfter);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var signed = CreateAuthorityRequest("CN=Test Intermediate", key).Create(
            _root, notBefore, notAfter, RandomNumberGenerator.GetBytes(8));
        _intermediate = signed.CopyWithPrivateKey(key);
        Folder = Directory.CreateTempSubdirectory("ragagent-tls-").FullName;
    }

    public string Folder { get; }

    public string Certificate => Path.Combine(Folder, "fullchain.pem");

    public string Key => Path.Combine(Folder, "privkey.pem");

    public string IntermediateThumbprint => _intermediate.Thumbprint;

    /// <summary>Options of a client that trusts only the root, so that the server has to send the intermediate.</summary>
    /// <param name="at">The time at which the client validates.</param>
    /// <param name="chain">Receives the chain that the server sent.</param>
    public SslClientAuthenticationOptions ClientOptions(DateTimeOffset at, Action<X509Chain>? chain = null)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTime = at.LocalDateTime,
        };
        policy.CustomTrustStore.Add(_root);
        return new SslClientAuthenticationOptions
        {
            TargetHost = "rag.example.com",
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = (_, _, sent, errors) =>
            {
                chain?.Invoke(sent!);
                return errors == SslPolicyErrors.None;
            },
        };
    }

    /// <summary>Replaces certificate and key with a new pair.</summary>
    /// <returns>The certificate's serial number.</returns>
    public string Issue(DateTimeOffset notBefore, TimeSpan lifetime, bool rsa = false, bool withChain = true, X509Extension? names = null)
    {
        var (certificate, key, serial) = CreatePair(notBefore, lifetime, rsa, names);
        File.WriteAllText(Certificate, withChain ? $"{certificate}\n{_intermediate.ExportCertificatePem()}\n" : certificate);
        File.WriteAllText(Key, key);
        return serial;
    }

    /// <summary>Creates a certificate and key in PEM, without the chain.</summary>
    public (string Certificate, string Key, string Serial) CreatePair(
        DateTimeOffset notBefore, TimeSpan lifetime, bool rsa = false, X509Extension? names = null)
    {
        using AsymmetricAlgorithm key = rsa ? RSA.Create(2048) : ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = key is RSA r
            ? new CertificateRequest("CN=rag.example.com", r, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("CN=rag.example.com", (ECDsa)key, HashAlgorithmName.SHA256);
        var defaultNames = new SubjectAlternativeNameBuilder();
        defaultNames.AddDnsName("rag.example.com");
        defaultNames.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names ?? defaultNames.Build());
        using var issuerKey = _intermediate.GetECDsaPrivateKey()!;
        using var leaf = request.Create(
            _intermediate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(issuerKey),
            notBefore,
            notBefore + lifetime,
            RandomNumberGenerator.GetBytes(8));
        return (leaf.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), leaf.SerialNumber);
    }

    public void Dispose()
    {
        _root.Dispose();
        _intermediate.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static CertificateRequest CreateAuthorityRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request;
    }
}
