using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.Tls;

/// <summary>A certificate and its private key as PEM files, as certbot writes them.</summary>
/// <param name="certificatePath">The path of the certificate with its chain.</param>
/// <param name="keyPath">The path of the private key.</param>
internal sealed class CertificateFiles(string certificatePath, string keyPath)
{
    private const int MaxSize = 1 << 20;
    private const string PemHeader = "-----BEGIN CERTIFICATE-----";
    private const string RereadNote = "A file that is just being written is read again within seconds.";
    private static readonly string SamePairRemedy = "Name the two files that were made together: certbot's fullchain.pem and privkey.pem of one folder.";

    /// <summary>What the files hold now.</summary>
    /// <param name="previous">Given back as it is, also past its end, when the files have not changed since it was read.</param>
    /// <param name="now">By which it must be valid.</param>
    /// <exception cref="ProblemException">There is no pair that can be used.</exception>
    public Certificate Read(Certificate? previous, DateTimeOffset now)
    {
        var chain = ReadFile("certificate", certificatePath);
        var keyPem = ReadFile("private key", keyPath);
        var text = new char[keyPem.Length];
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(BitConverter.GetBytes(chain.Length));
            hash.AppendData(chain);
            hash.AppendData(keyPem);
            var fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (fingerprint == previous?.Fingerprint)
            {
                return previous;
            }
            Encoding.Latin1.GetChars(keyPem, text);
            var certificates = ParseChain(Encoding.Latin1.GetString(chain));
            var loaded = CreateCertificate(AttachKey(certificates[0], text), [.. certificates.Skip(1)], fingerprint);
            return ValidityProblem(loaded, now) is { } problem ? throw new ProblemException(problem) : loaded;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(keyPem);
            text.AsSpan().Clear();
        }
    }

    /// <summary>A user may not read one of them.</summary>
    /// <param name="role"><c>certificate</c> or <c>private key</c>.</param>
    /// <param name="path">Of the file.</param>
    /// <param name="user">Who may not.</param>
    public static Problem AccessDenied(string role, string path, string user)
    {
        const string liveFolder = "/etc/letsencrypt/live/";
        // certbot keeps the group and the mode of a private key at renewals, and says itself that the two folders may be opened.
        var remedy = path.StartsWith(liveFolder, StringComparison.Ordinal) && path[liveFolder.Length..].Split('/') is [var lineage, _]
            ? $"Run 'chmod 755 /etc/letsencrypt/live /etc/letsencrypt/archive', 'chgrp {user} /etc/letsencrypt/archive/{lineage}/privkey*.pem' and 'chmod 640 /etc/letsencrypt/archive/{lineage}/privkey*.pem'; certbot keeps that at renewals."
            : $"Run 'chgrp {user} {path}' and 'chmod 640 {path}', and let that user into every folder above it; below /home, /root and /tmp the service sees nothing.";
        return new Problem(ProblemCatalog.CertificateDenied, $"The {role} {path} may not be read by the user {user}.", remedy);
    }

    /// <summary>What time has made of a certificate that is in use; null: it is well.</summary>
    public Problem? ExpiryProblem(Certificate loaded, DateTimeOffset now) => ValidityProblem(loaded, now) ?? (loaded.NeedsRenewal(now) ? new Problem(ProblemCatalog.CertificateExpiring,
        $"The certificate {certificatePath} ({loaded}) expires on {FormatDate(loaded.NotAfter)}, {FormatTimeLeft(loaded.NotAfter - now)}, and was not renewed yet.",
        "See why: 'certbot renew --dry-run' and 'systemctl status certbot.timer'. A new one is used as soon as it is there.") : null);

    public static string FormatDate(DateTimeOffset at) => $"{at:yyyy-MM-dd}";

    public static string FormatTimeLeft(TimeSpan left) => (int)left.TotalDays switch
    {
        0 => "in less than a day",
        1 => "in a day",
        var days => $"in {days} days",
    };

    private Problem? ValidityProblem(Certificate loaded, DateTimeOffset now)
    {
        if (now >= loaded.NotAfter)
        {
            return new Problem(ProblemCatalog.CertificateExpired, $"The certificate {certificatePath} ({loaded}) expired on {FormatDate(loaded.NotAfter)}.",
                "Renew it: 'certbot renew', and see 'systemctl status certbot.timer'. The new one is used as soon as it is there.");
        }
        return now >= loaded.NotBefore ? null : new Problem(ProblemCatalog.CertificateExpired, $"The certificate {certificatePath} ({loaded}) is valid from {FormatDate(loaded.NotBefore)} on only.",
            "Look at this machine's clock with 'timedatectl'; it is used as soon as it is valid.");
    }

    private static byte[] ReadFile(string role, string path)
    {
        try
        {
            if (FileKind.Detect(path) is { } kind and not FileKind.Regular && !Directory.Exists(path))
            {
                throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The {role} {path} is {FileKind.Describe(kind)} and no file.", $"Write it to a file and name that in tls.{ConfigKey(role)}."));
            }
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MaxSize)
            {
                throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The {role} {path} is larger than 1 MiB.", $"Name the right file in tls.{ConfigKey(role)}."));
            }
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateMissing, $"The {role} {path} is not there.",
                $"Get one with certbot (/usr/share/doc/ragagent/https.md has the commands), or correct tls.{ConfigKey(role)}; it is used as soon as it is there."), exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ProblemException(Directory.Exists(path)
                ? new Problem(ProblemCatalog.CertificateUnreadable, $"The {role} {path} is a folder.", $"Name the file in it in tls.{ConfigKey(role)}.")
                : AccessDenied(role, path, Environment.UserName), exception);
        }
        catch (IOException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The {role} {path} can't be read: {ExceptionMapping.DescribeCause(exception)}.", RereadNote), exception);
        }
    }

    private static string ConfigKey(string role) => role == "certificate" ? "certificate" : "key";

    private X509Certificate2Collection ParseChain(string text)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            certificates.Clear();
        }
        // One that was cut off is passed over by the framework, which would leave a chain with a hole.
        if (certificates.Count == 0 || certificates.Count != text.AsSpan().Count(PemHeader))
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The certificate {certificatePath} holds no certificate in PEM, or one that is cut off.",
                $"Name certbot's fullchain.pem in tls.certificate. {RereadNote}"));
        }
        return certificates;
    }

    /// <summary>What stands in it is read here, and a certificate of PEM as it should be may hold anything.</summary>
    private Certificate CreateCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, string fingerprint)
    {
        try
        {
            return new Certificate(leaf, chain, fingerprint);
        }
        catch (CryptographicException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The certificate {certificatePath} can't be understood: {exception.Message}",
                "See what stands in it with 'openssl x509 -noout -text -in' and its path, and have it issued again."), exception);
        }
    }

    private X509Certificate2 AttachKey(X509Certificate2 leaf, ReadOnlySpan<char> keyPem)
    {
        using var rsa = RSA.Create();
        using var ec = ECDsa.Create();
        try
        {
            return TryImport(rsa, keyPem) ? leaf.CopyWithPrivateKey(rsa)
                : TryImport(ec, keyPem) ? leaf.CopyWithPrivateKey(ec)
                : throw new ProblemException(new Problem(ProblemCatalog.CertificateUnreadable, $"The private key {keyPath} holds no RSA or ECDSA key in PEM, or one that is cut off, or one with a passphrase.",
                    $"Name certbot's privkey.pem in tls.key. {RereadNote}"));
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException or NotSupportedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateMismatch, $"The private key {keyPath} does not belong to the certificate {certificatePath}.", $"{SamePairRemedy} {RereadNote}"), exception);
        }
    }

    private static bool TryImport(AsymmetricAlgorithm algorithm, ReadOnlySpan<char> keyPem)
    {
        try
        {
            algorithm.ImportFromPem(keyPem);
            return true;
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException)
        {
            return false;   // of another kind, or none
        }
    }
}
