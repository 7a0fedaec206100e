using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RagAgent.InstanceTests.Support;
using Xunit;

namespace RagAgent.InstanceTests;

/// <summary>docs/https.md step by step, on a machine with certbot's folders but without a certificate authority.</summary>
public sealed class HttpsGuideTests : IDisposable
{
    private const string Name = "rag.example.com";
    private const string LiveFolder = "etc/letsencrypt/live/" + Name;
    private const string ArchiveFolder = "etc/letsencrypt/archive/" + Name;

    private readonly string _all = Path.GetTempFileName();
    private readonly string _newest = Path.GetTempFileName();

    public void Dispose()
    {
        File.Delete(_all);
        File.Delete(_newest);
    }

    [Fact]
    public async Task The_HTTPS_guide_works_from_a_domain_to_a_renewed_certificate()
    {
        await using var machine = await Machine.StartServingAsync();
        var started = await machine.StartedAtAsync();
        await machine.RunCheckedAsync("mkdir", "-p", "/srv/acme");
        var before = await machine.RunCheckedAsync("cat", "/etc/ragagent.json");
        machine.WriteConfig($$"""
            {
              "listen": { "https": 443 },
              "tls": { "certificate": "/{{LiveFolder}}/fullchain.pem", "key": "/{{LiveFolder}}/privkey.pem", "challenge": "/srv/acme" },
            {{before[(before.IndexOf('{', StringComparison.Ordinal) + 1)..]}}
            """);
        await machine.RunCheckedAsync("sh", "-c", "ragagent config check && systemctl reload ragagent");

        // There is no certificate yet.
        await machine.WaitForUnavailableAsync("certificate");
        machine.Write("srv/acme/probe", "outside");   // only files below .well-known may be served
        Directory.CreateDirectory(Path.Combine(machine.RootFolder, "srv/acme/.well-known/acme-challenge"));
        machine.Write("srv/acme/.well-known/acme-challenge/token", "proof");
        Assert.Equal((200, "proof"), await machine.GetAsync("http://10.77.0.2/.well-known/acme-challenge/token"));

        // A certificate whose key the agent may not read.
        Issue(machine, 1);
        await machine.WaitForStatusAsync("The user ragagent may not read");
        await machine.RunCheckedAsync(
            "sh",
            "-c",
            $"chmod 755 /etc/letsencrypt/live /etc/letsencrypt/archive && chgrp ragagent /{ArchiveFolder}/privkey*.pem && chmod 640 /{ArchiveFolder}/privkey*.pem");
        await machine.WaitUntilAsync(
            async () => await machine.GetAsync(HttpsArguments(_all)) is (200, var page) && page.Contains(">1<", StringComparison.Ordinal),
            "the app serves over HTTPS");
        Assert.Equal(308, (await machine.GetAsync()).Status);
        Assert.Equal(started, await machine.StartedAtAsync());

        // systemd holds port 443 through the socket unit.
        await machine.RunCheckedAsync(
            "sh",
            "-c",
            "mkdir -p /etc/systemd/system/ragagent.socket.d && " +
            "printf '[Socket]\nListenStream=443\n' >/etc/systemd/system/ragagent.socket.d/override.conf && systemctl daemon-reload");
        await machine.RunCheckedAsync("systemctl", "stop", "ragagent.socket", "ragagent.service");
        await machine.RunCheckedAsync("systemctl", "start", "ragagent.service");
        Assert.Equal("", await machine.RequestDuringAsync(
            () => machine.RunCheckedAsync("sh", "-c", "for i in 1 2 3 4 5; do systemctl restart ragagent && sleep 1; done"),
            curlArguments: string.Join(' ', HttpsArguments(_all))));
        Assert.DoesNotContain("nobody-listens", await machine.JournalAsync(), StringComparison.Ordinal);
        Assert.Matches($@"(?m)^ok +tls +The certificate for {Name}, issued by {Name}, is valid until", await machine.RunCheckedAsync("sh", "-c", "ragagent doctor || true"));

        // A renewal under load.
        Assert.Equal("", await machine.RequestDuringAsync(async () =>
        {
            Issue(machine, 2);
            // Certbot keeps the group and mode.
            await machine.RunCheckedAsync("sh", "-c", $"chgrp ragagent /{ArchiveFolder}/privkey2.pem && chmod 640 /{ArchiveFolder}/privkey2.pem");
            await machine.WaitUntilAsync(
                async () => await machine.GetAsync(HttpsArguments(_newest)) is (200, _), "the new certificate is used");
        }, curlArguments: string.Join(' ', HttpsArguments(_all))));
        Assert.Equal(started, await machine.StartedAtAsync());

        // After the next boot.
        await machine.PowerOffAsync();
        await machine.PowerOnAsync();
        await machine.WaitUntilAsync(
            async () => await machine.GetAsync(HttpsArguments(_all)) is (200, var page) && page.Contains(">1<", StringComparison.Ordinal),
            "the app serves over HTTPS after a boot");
    }

    private static string[] HttpsArguments(string trusted) =>
        ["--cacert", trusted, "--resolve", $"{Name}:443:10.77.0.2", $"https://{Name}/"];

    /// <summary>Writes a certificate and key as certbot does: files in the archive, links in the live folder, owned by root.</summary>
    private void Issue(Machine machine, int number)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={Name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Name);
        request.CertificateExtensions.Add(names.Build());
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(89));
        File.AppendAllText(_all, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(_newest, certificate.ExportCertificatePem());

        var (live, archive) = (Path.Combine(machine.RootFolder, LiveFolder), Path.Combine(machine.RootFolder, ArchiveFolder));
        foreach (var folder in new[] { live, archive })
        {
            Directory.CreateDirectory(folder);
            if (number == 1)
            {
                File.SetUnixFileMode(
                    Path.GetDirectoryName(folder)!, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            }
        }
        Put(
            "fullchain",
            certificate.ExportCertificatePem(),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        Put("privkey", key.ExportPkcs8PrivateKeyPem(), UnixFileMode.UserRead | UnixFileMode.UserWrite);

        void Put(string name, string text, UnixFileMode mode)
        {
            var file = Path.Combine(archive, $"{name}{number}.pem");
            File.WriteAllText(file, text);
            File.SetUnixFileMode(file, mode);
            var link = Path.Combine(live, $"{name}.pem");
            File.CreateSymbolicLink($"{link}.new", $"../../archive/{Name}/{name}{number}.pem");
            File.Move($"{link}.new", link, overwrite: true);
        }
    }
}
