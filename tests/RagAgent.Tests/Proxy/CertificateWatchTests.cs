using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Time.Testing;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Proxy.Tls;
using RagAgent.Supervision.Runtime;
using RagAgent.Tests.Support;
using Xunit;

namespace RagAgent.Tests.Proxy;

/// <summary>Certificate files that change, and unusable ones.</summary>
public sealed class CertificateWatchTests : IDisposable
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(90);

    private readonly TestCertificateAuthority _authority = new();
    private readonly FakeTimeProvider _time = new(Start);
    private readonly List<string> _logMessages = [];
    private readonly CertificateWatch _watch;
    private int _changes;

    public CertificateWatchTests()
    {
        var config = new AgentConfig
        {
            Image = "app",
            Listen = new ListenConfig { Https = 443 },
            Tls = new TlsConfig { Certificate = _authority.Certificate, Key = _authority.Key },
        };
        _watch = new CertificateWatch(config, new StateFeed(), new AgentClock(_time), new ListLogger<CertificateWatch>(_logMessages));
        _watch.Changed += () => _changes++;
    }

    public void Dispose()
    {
        _watch.Dispose();
        _authority.Dispose();
    }

    [Fact]
    public void A_mismatched_key_keeps_the_old_pair_and_is_logged_once_and_so_is_the_recovery()
    {
        StartWatch();
        var inUse = _watch.Current;
        var good = File.ReadAllText(_authority.Key);

        File.WriteAllText(_authority.Key, _authority.CreatePair(Start, Lifetime).Key);
        CheckFiles(times: 4);

        Assert.Same(inUse, _watch.Current);
        var problem = Assert.Single(_watch.Problems);
        Assert.Equal(
            new Problem(ProblemCatalog.CertificateMismatch,
                $"The private key {_authority.Key} does not belong to the certificate {_authority.Certificate}. " +
                "HTTPS keeps using the previous certificate, valid until 2026-05-30.",
                "Name two files that belong together: certbot's fullchain.pem and privkey.pem from one folder. " +
                "If the file is just being written, the agent reads it again within seconds."),
            problem);
        Assert.Equal([problem.ToString()], _logMessages);
        Assert.Null(_watch.BlockingProblem);

        File.WriteAllText(_authority.Key, good);
        CheckFiles(times: 3);

        Assert.Empty(_watch.Problems);
        Assert.Equal("The files of the certificate for rag.example.com, 127.0.0.1 are usable again.", Assert.Single(_logMessages.Skip(1)));
        Assert.Equal(2, _changes);
    }

    [Fact]
    public void A_pair_replaced_file_by_file_causes_no_problem()
    {
        StartWatch();
        var (certificate, key, _) = _authority.CreatePair(Start, TimeSpan.FromDays(60));

        File.WriteAllText(_authority.Certificate, certificate);
        CheckFiles();
        Assert.Empty(_watch.Problems);
        File.WriteAllText(_authority.Key, key);
        CheckFiles();

        Assert.Equal(["Now serving HTTPS with the certificate for rag.example.com, 127.0.0.1, valid until 2026-04-30."], _logMessages);
    }

    [Theory]
    [InlineData("empty", "certificate-unreadable")]
    [InlineData("a truncated certificate", "certificate-unreadable")]
    [InlineData("a truncated chain", "certificate-unreadable")]
    [InlineData("an invalid name", "certificate-unreadable")]
    [InlineData("a truncated key", "certificate-unreadable")]
    [InlineData("an encrypted key", "certificate-unreadable")]
    [InlineData("a key of another type", "certificate-mismatch")]
    [InlineData("expired", "certificate-expired")]
    [InlineData("not yet valid", "certificate-expired")]
    [InlineData("missing", "certificate-missing")]
    [InlineData("a folder", "certificate-unreadable")]
    [InlineData("a device", "certificate-unreadable")]
    [InlineData("huge", "certificate-unreadable")]
    public void An_unusable_pair_leaves_the_old_pair_in_use(string how, string code)
    {
        StartWatch();
        var inUse = _watch.Current;

        Corrupt(how);
        CheckFiles(times: 2);

        Assert.Same(inUse, _watch.Current);
        Assert.Equal(code, Assert.Single(_watch.Problems).Code);
        Assert.DoesNotContain(_logMessages, line => line.Contains("PRIVATE", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("empty")]
    [InlineData("an invalid name")]
    [InlineData("expired")]
    [InlineData("missing")]
    public void An_unusable_pair_at_the_start_blocks_all_clients_until_a_usable_one_exists(string how)
    {
        _authority.Issue(Start, Lifetime);
        Corrupt(how);
        _watch.Reload(reportAtOnce: true);

        Assert.Null(_watch.Current);
        Assert.Equal(Assert.Single(_watch.Problems), _watch.BlockingProblem);
        Assert.Empty(_logMessages);   // the supervision logs a closed front door

        _authority.Issue(Start, Lifetime);
        CheckFiles();
        Assert.NotNull(_watch.Current);
        Assert.Null(_watch.BlockingProblem);
    }

    [Fact]
    public void Expiry_is_logged_daily_from_14_days_before_and_once_when_it_happens()
    {
        StartWatch();
        for (var hour = 0; hour < 24 * 95; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            CheckFiles();
        }

        Assert.Equal(
            Enumerable.Range(2, 12).Reverse().Select(days => $"in {days} days").Concat(["in a day", "in less than a day"]),
            _logMessages.SkipLast(1).Select(line => line.Split(", ")[2]));
        Assert.Equal(
            $"The certificate {_authority.Certificate} (rag.example.com, 127.0.0.1) expired on 2026-05-30. " +
            "Renew it with 'certbot renew', and check 'systemctl status certbot.timer'. The new one is used as soon as it is there.",
            _logMessages[^1]);
        Assert.NotNull(_watch.Current);   // a browser's warning says more than a refused connection

        _authority.Issue(_time.GetUtcNow(), Lifetime);
        CheckFiles();
        Assert.Empty(_watch.Problems);
    }

    [Fact]
    public void A_six_day_certificate_counts_as_expiring_only_in_its_last_third()
    {
        _authority.Issue(Start, TimeSpan.FromDays(6));
        _watch.Reload(reportAtOnce: true);
        _time.Advance(TimeSpan.FromDays(3.9));
        CheckFiles();
        Assert.Empty(_watch.Problems);
        _time.Advance(TimeSpan.FromDays(0.2));
        CheckFiles();
        Assert.Equal("certificate-expiring", Assert.Single(_watch.Problems).Code);
    }

    [Fact]
    public void The_remedy_for_unreadable_certbot_files_lists_the_exact_commands()
    {
        Assert.Equal(
            "The user ragagent may not read the private key /etc/letsencrypt/live/rag.example.com/privkey.pem. " +
            "Run 'chmod 755 /etc/letsencrypt/live /etc/letsencrypt/archive', " +
            "'chgrp ragagent /etc/letsencrypt/archive/rag.example.com/privkey*.pem' and " +
            "'chmod 640 /etc/letsencrypt/archive/rag.example.com/privkey*.pem'; certbot keeps these permissions at renewals.",
            CertificateFiles.AccessDenied("private key", "/etc/letsencrypt/live/rag.example.com/privkey.pem", "ragagent").ToString());
        Assert.Contains(
            "'chgrp ragagent /srv/tls/key.pem'",
            CertificateFiles.AccessDenied("private key", "/srv/tls/key.pem", "ragagent").Remedy,
            StringComparison.Ordinal);
    }

    private void StartWatch()
    {
        _authority.Issue(Start, Lifetime);
        _watch.Reload(reportAtOnce: true);
        Assert.Equal(["rag.example.com", "127.0.0.1"], _watch.Current!.Names);
        _logMessages.Clear();
        _changes = 0;
    }

    private void CheckFiles(int times = 1)
    {
        for (var read = 0; read < times; read++)
        {
            _watch.Reload(reportAtOnce: false);
        }
    }

    private void Corrupt(string how)
    {
        var (certificate, key) = (File.ReadAllText(_authority.Certificate), File.ReadAllText(_authority.Key));
        switch (how)
        {
            case "empty": File.WriteAllText(_authority.Certificate, ""); break;
            case "a truncated certificate": File.WriteAllText(_authority.Certificate, certificate[..200]); break;
            case "a truncated chain": File.WriteAllText(_authority.Certificate, certificate[..^100]); break;
            case "an invalid name": _authority.Issue(Start, Lifetime, names: FiveByteAddress()); break;
            case "a truncated key": File.WriteAllText(_authority.Key, key[..^60]); break;
            case "an encrypted key": File.WriteAllText(_authority.Key, Encrypted()); break;
            case "a key of another type": File.WriteAllText(_authority.Key, _authority.CreatePair(Start, Lifetime, rsa: true).Key); break;
            case "expired": _authority.Issue(Start.AddDays(-91), Lifetime); break;
            case "not yet valid": _authority.Issue(Start.AddDays(1), Lifetime); break;
            case "missing": File.Delete(_authority.Certificate); break;
            case "a folder": File.Delete(_authority.Key); Directory.CreateDirectory(_authority.Key); break;
            case "a device": File.Delete(_authority.Key); File.CreateSymbolicLink(_authority.Key, "/dev/zero"); break;
            case "huge": File.WriteAllText(_authority.Certificate, new string('x', (1 << 20) + 1)); break;
        }
    }

    /// <summary>A subject alternative name with an IP address of five bytes.</summary>
    private static X509Extension FiveByteAddress() => new("2.5.29.17", [0x30, 0x07, 0x87, 0x05, 1, 2, 3, 4, 5], critical: false);

    private static string Encrypted()
    {
        using var key = ECDsa.Create();
        return key.ExportEncryptedPkcs8PrivateKeyPem(
            "word",
            new PbeParameters(
                PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
    }
}
