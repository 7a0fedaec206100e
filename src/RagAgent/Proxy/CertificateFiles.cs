using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>A certificate and its private key as PEM files, as certbot writes them.</summary>
/// <param name="certificate">The path of the certificate with its chain.</param>
/// <param name="key">The path of the private key.</param>
internal sealed class CertificateFiles(string certificate, string key)
{
    private const int Largest = 1 << 20;
    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string WrittenNow = "A file that is just being written is read again within seconds.";
    private static readonly string OfOnePair = "Name the two files that were made together: certbot's fullchain.pem and privkey.pem of one folder.";

    /// <summary>What the files hold now.</summary>
    /// <param name="known">Given back as it is, also past its end, when the files have not changed since it was read.</param>
    /// <param name="now">By which it must be valid.</param>
    /// <exception cref="ProblemException">There is no pair that can be used.</exception>
    public Certificate Read(Certificate? known, DateTimeOffset now)
    {
        var chain = Bytes("certificate", certificate);
        var secret = Bytes("private key", key);
        var text = new char[secret.Length];
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(BitConverter.GetBytes(chain.Length));
            hash.AppendData(chain);
            hash.AppendData(secret);
            var fingerprint = Convert.ToHexStringLower(hash.GetHashAndReset());
            if (fingerprint == known?.Fingerprint)
            {
                return known;
            }
            Encoding.Latin1.GetChars(secret, text);
            var all = Certificates(Encoding.Latin1.GetString(chain));
            var read = Opened(Join(all[0], text), [.. all.Skip(1)], fingerprint);
            return Problem(read, now) is { } problem ? throw new ProblemException(problem) : read;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
            text.AsSpan().Clear();
        }
    }

    /// <summary>A user may not read one of them.</summary>
    /// <param name="what"><c>certificate</c> or <c>private key</c>.</param>
    /// <param name="path">Of the file.</param>
    /// <param name="user">Who may not.</param>
    public static Problem Denied(string what, string path, string user)
    {
        const string live = "/etc/letsencrypt/live/";
        // certbot keeps the group and the mode of a private key at renewals, and says itself that the two folders may be opened.
        var remedy = path.StartsWith(live, StringComparison.Ordinal) && path[live.Length..].Split('/') is [var lineage, _]
            ? $"Run 'chmod 755 /etc/letsencrypt/live /etc/letsencrypt/archive', 'chgrp {user} /etc/letsencrypt/archive/{lineage}/privkey*.pem' and 'chmod 640 /etc/letsencrypt/archive/{lineage}/privkey*.pem'; certbot keeps that at renewals."
            : $"Run 'chgrp {user} {path}' and 'chmod 640 {path}', and let that user into every folder above it; below /home, /root and /tmp the service sees nothing.";
        return new Problem("certificate-denied", $"The {what} {path} may not be read by the user {user}.", remedy);
    }

    /// <summary>What time has made of a certificate that is in use; null: it is well.</summary>
    public Problem? Age(Certificate read, DateTimeOffset now) => Problem(read, now) ?? (read.IsOld(now) ? new Problem("certificate-expiring",
        $"The certificate {certificate} ({read}) expires on {Day(read.Ends)}, {Left(read.Ends - now)}, and was not renewed yet.",
        "See why: 'certbot renew --dry-run' and 'systemctl status certbot.timer'. A new one is used as soon as it is there.") : null);

    public static string Day(DateTimeOffset at) => $"{at:yyyy-MM-dd}";

    public static string Left(TimeSpan left) => (int)left.TotalDays switch
    {
        0 => "in less than a day",
        1 => "in a day",
        var days => $"in {days} days",
    };

    private Problem? Problem(Certificate read, DateTimeOffset now)
    {
        if (now >= read.Ends)
        {
            return new Problem("certificate-expired", $"The certificate {certificate} ({read}) expired on {Day(read.Ends)}.",
                "Renew it: 'certbot renew', and see 'systemctl status certbot.timer'. The new one is used as soon as it is there.");
        }
        return now >= read.Begins ? null : new Problem("certificate-expired", $"The certificate {certificate} ({read}) is valid from {Day(read.Begins)} on only.",
            "Look at this machine's clock with 'timedatectl'; it is used as soon as it is valid.");
    }

    private static byte[] Bytes(string what, string path)
    {
        try
        {
            if (FileKind.Of(path) is { } kind and not FileKind.Regular && !Directory.Exists(path))
            {
                throw new ProblemException(new Problem("certificate-unreadable", $"The {what} {path} is {FileKind.Word(kind)} and no file.", $"Write it to a file and name that in tls.{Key(what)}."));
            }
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.Length > Largest)
            {
                throw new ProblemException(new Problem("certificate-unreadable", $"The {what} {path} is larger than 1 MiB.", $"Name the right file in tls.{Key(what)}."));
            }
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new ProblemException(new Problem("certificate-missing", $"The {what} {path} is not there.",
                $"Get one with certbot (/usr/share/doc/ragagent/https.md has the commands), or correct tls.{Key(what)}; it is used as soon as it is there."), e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new ProblemException(Directory.Exists(path)
                ? new Problem("certificate-unreadable", $"The {what} {path} is a folder.", $"Name the file in it in tls.{Key(what)}.")
                : Denied(what, path, Environment.UserName), e);
        }
        catch (IOException e)
        {
            throw new ProblemException(new Problem("certificate-unreadable", $"The {what} {path} can't be read: {Problems.Cause(e)}.", WrittenNow), e);
        }
    }

    private static string Key(string what) => what == "certificate" ? "certificate" : "key";

    private X509Certificate2Collection Certificates(string text)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(text);
        }
        catch (CryptographicException)
        {
            all.Clear();
        }
        // One that was cut off is passed over by the framework, which would leave a chain with a hole.
        if (all.Count == 0 || all.Count != text.AsSpan().Count(Begin))
        {
            throw new ProblemException(new Problem("certificate-unreadable", $"The certificate {certificate} holds no certificate in PEM, or one that is cut off.",
                $"Name certbot's fullchain.pem in tls.certificate. {WrittenNow}"));
        }
        return all;
    }

    /// <summary>What stands in it is read here, and a certificate of PEM as it should be may hold anything.</summary>
    private Certificate Opened(X509Certificate2 leaf, X509Certificate2Collection chain, string fingerprint)
    {
        try
        {
            return new Certificate(leaf, chain, fingerprint);
        }
        catch (CryptographicException e)
        {
            throw new ProblemException(new Problem("certificate-unreadable", $"The certificate {certificate} can't be understood: {e.Message}",
                "See what stands in it with 'openssl x509 -noout -text -in' and its path, and have it issued again."), e);
        }
    }

    private X509Certificate2 Join(X509Certificate2 bare, ReadOnlySpan<char> secret)
    {
        using var rsa = RSA.Create();
        using var ec = ECDsa.Create();
        try
        {
            return Imported(rsa, secret) ? bare.CopyWithPrivateKey(rsa)
                : Imported(ec, secret) ? bare.CopyWithPrivateKey(ec)
                : throw new ProblemException(new Problem("certificate-unreadable", $"The private key {key} holds no RSA or ECDSA key in PEM, or one that is cut off, or one with a passphrase.",
                    $"Name certbot's privkey.pem in tls.key. {WrittenNow}"));
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException or NotSupportedException)
        {
            throw new ProblemException(new Problem("certificate-mismatch", $"The private key {key} does not belong to the certificate {certificate}.", $"{OfOnePair} {WrittenNow}"), e);
        }
    }

    private static bool Imported(AsymmetricAlgorithm into, ReadOnlySpan<char> secret)
    {
        try
        {
            into.ImportFromPem(secret);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            return false;   // of another kind, or none
        }
    }
}
