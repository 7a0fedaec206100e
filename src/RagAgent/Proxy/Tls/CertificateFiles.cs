using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RagAgent.Common;
using RagAgent.Configuration;

namespace RagAgent.Proxy.Tls;

/// <summary>A certificate and its private key as PEM files, as certbot writes them.</summary>
/// <param name="certificatePath">The file with the certificate and its chain.</param>
/// <param name="keyPath">The file with the private key.</param>
internal sealed class CertificateFiles(string certificatePath, string keyPath)
{
    private const int MaxSize = 1 << 20;
    private const string PemHeader = "-----BEGIN CERTIFICATE-----";
    private const string RereadNote = "If the file is just being written, the agent reads it again within seconds.";
    private const string SamePairRemedy = "Name two files that belong together: certbot's fullchain.pem and privkey.pem from one folder.";

    /// <param name="previous">Returned unchanged, even if expired, when the files have not changed since it was read.</param>
    /// <param name="now">A new certificate must be valid at this time.</param>
    /// <exception cref="ProblemException">The files hold no usable pair.</exception>
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

    /// <param name="role"><c>certificate</c> or <c>private key</c>.</param>
    /// <param name="path">The file.</param>
    /// <param name="user">The user that may not read it.</param>
    public static Problem AccessDenied(string role, string path, string user)
    {
        const string liveFolder = "/etc/letsencrypt/live/";
        // certbot keeps a private key's group and mode at renewals, and its documentation says that the two folders may be opened.
        var remedy = path.StartsWith(liveFolder, StringComparison.Ordinal) && path[liveFolder.Length..].Split('/') is [var lineage, _]
            ? "Run 'chmod 755 /etc/letsencrypt/live /etc/letsencrypt/archive', " +
              $"'chgrp {user} /etc/letsencrypt/archive/{lineage}/privkey*.pem' and " +
              $"'chmod 640 /etc/letsencrypt/archive/{lineage}/privkey*.pem'; certbot keeps these permissions at renewals."
            : $"Run 'chgrp {user} {path}' and 'chmod 640 {path}', and let that user enter every folder above it. " +
              "The service can't see anything below /home, /root and /tmp.";
        return new Problem(ProblemCatalog.CertificateDenied, $"The user {user} may not read the {role} {path}.", remedy);
    }

    /// <summary>Why a certificate in use has expired or soon will. Null: it won't expire soon.</summary>
    public Problem? ExpiryProblem(Certificate loaded, DateTimeOffset now)
    {
        if (ValidityProblem(loaded, now) is { } problem)
        {
            return problem;
        }
        return loaded.NeedsRenewal(now)
            ? new Problem(ProblemCatalog.CertificateExpiring,
                $"The certificate {certificatePath} ({loaded}) expires on {FormatDate(loaded.NotAfter)}, " +
                $"{FormatTimeLeft(loaded.NotAfter - now)}, and has not been renewed yet.",
                "Find out why with 'certbot renew --dry-run' and 'systemctl status certbot.timer'. " +
                "A new one is used as soon as it is there.")
            : null;
    }

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
            return new Problem(ProblemCatalog.CertificateExpired,
                $"The certificate {certificatePath} ({loaded}) expired on {FormatDate(loaded.NotAfter)}.",
                "Renew it with 'certbot renew', and check 'systemctl status certbot.timer'. The new one is used as soon as it is there.");
        }
        if (now < loaded.NotBefore)
        {
            return new Problem(ProblemCatalog.CertificateExpired,
                $"The certificate {certificatePath} ({loaded}) is not valid until {FormatDate(loaded.NotBefore)}.",
                "Check this machine's clock with 'timedatectl'. The certificate is used as soon as it is valid.");
        }
        return null;
    }

    private static byte[] ReadFile(string role, string path)
    {
        try
        {
            if (FileKind.Detect(path) is { } kind and not FileKind.Regular && !Directory.Exists(path))
            {
                throw Unreadable($"The {role} {path} is {FileKind.Describe(kind)}, not a file.",
                    $"Write it to a file and set tls.{ConfigKey(role)} to that.");
            }
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > MaxSize)
            {
                throw Unreadable($"The {role} {path} is larger than 1 MiB.", $"Name the right file in tls.{ConfigKey(role)}.");
            }
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateMissing, $"The {role} {path} does not exist.",
                $"Get one with certbot (the commands are in /usr/share/doc/ragagent/https.md), or correct tls.{ConfigKey(role)}. " +
                "It is used as soon as it is there."), exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw Directory.Exists(path)
                ? Unreadable($"The {role} {path} is a folder.", $"Name the file in it in tls.{ConfigKey(role)}.", exception)
                : new ProblemException(AccessDenied(role, path, Environment.UserName), exception);
        }
        catch (IOException exception)
        {
            throw Unreadable($"The {role} {path} can't be read: {ExceptionMapping.DescribeCause(exception)}.", RereadNote, exception);
        }
    }

    private static ProblemException Unreadable(string what, string remedy, Exception? inner = null) =>
        new(new Problem(ProblemCatalog.CertificateUnreadable, what, remedy), inner);

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
        // .NET skips a truncated certificate, which would leave a chain with a gap.
        if (certificates.Count == 0 || certificates.Count != text.AsSpan().Count(PemHeader))
        {
            throw Unreadable($"The certificate {certificatePath} holds no certificate in PEM format, or a truncated one.",
                $"Set tls.certificate to certbot's fullchain.pem. {RereadNote}");
        }
        return certificates;
    }

    /// <summary>Parses the certificate's fields, which may be malformed even if its PEM is not.</summary>
    private Certificate CreateCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, string fingerprint)
    {
        try
        {
            return new Certificate(leaf, chain, fingerprint);
        }
        catch (CryptographicException exception)
        {
            throw Unreadable($"The certificate {certificatePath} can't be parsed: {exception.Message}",
                $"Inspect it with 'openssl x509 -noout -text -in {certificatePath}', and have it issued again.", exception);
        }
    }

    private X509Certificate2 AttachKey(X509Certificate2 leaf, ReadOnlySpan<char> keyPem)
    {
        using var rsa = RSA.Create();
        using var ecdsa = ECDsa.Create();
        try
        {
            if (TryImport(rsa, keyPem))
            {
                return leaf.CopyWithPrivateKey(rsa);
            }
            if (TryImport(ecdsa, keyPem))
            {
                return leaf.CopyWithPrivateKey(ecdsa);
            }
        }
        catch (Exception exception) when (exception is ArgumentException or CryptographicException or NotSupportedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.CertificateMismatch,
                $"The private key {keyPath} does not belong to the certificate {certificatePath}.",
                $"{SamePairRemedy} {RereadNote}"), exception);
        }
        throw Unreadable($"The private key {keyPath} holds no RSA or ECDSA key in PEM format, or a truncated or encrypted one.",
            $"Set tls.key to certbot's privkey.pem. {RereadNote}");
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
            return false;   // a key of another kind, or none
        }
    }
}
