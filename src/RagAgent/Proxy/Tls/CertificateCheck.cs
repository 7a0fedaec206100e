using System.ComponentModel;
using System.Diagnostics;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Proxy.Tls;

/// <summary>Can HTTPS be served with what the configuration names, and for how long?</summary>
internal sealed class CertificateCheck(AgentConfig config, TimeProvider time) : ICheck
{
    private const string User = "ragagent";

    public string Name => "tls";

    /// <summary>Whether the agent's user may read a file; null: that can't be told from here.</summary>
    public Func<string, CancellationToken, Task<bool?>> MayRead { get; init; } = MayReadAsync;

    /// <summary>What systemd says of the socket unit; null: no systemd runs here.</summary>
    public Func<CancellationToken, Task<IReadOnlyDictionary<string, string>?>> SocketUnit { get; init; } = stopping => Systemctl.ShowAsync(Systemctl.SocketUnit, stopping);

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config is not { Listen.Https: { } port, Tls: { Certificate: { } certificate, Key: { } key } tls })
        {
            return CheckResult.Skipped("listen.https is not set: visitors come in by HTTP.");
        }
        var files = new CertificateFiles(certificate, key);
        var now = time.GetUtcNow();
        var loaded = files.Read(null, now);
        foreach (var (role, path) in new[] { ("certificate", certificate), ("private key", key) })
        {
            if (await MayRead(path, stopping) is false)
            {
                return CheckResult.Failed(CertificateFiles.AccessDenied(role, path, User));
            }
        }
        var summary = $"The certificate for {loaded}, from {loaded.Issuer}, is valid until {CertificateFiles.FormatDate(loaded.NotAfter)}.";
        if (files.ExpiryProblem(loaded, now) is { } expiry)
        {
            return CheckResult.Of(expiry);
        }
        if (!loaded.HasIssuerCertificate)
        {
            return CheckResult.Warning($"{summary} {certificate} does not hold the certificate that signed it, and some visitors will not trust it.", "Name certbot's fullchain.pem in tls.certificate, not cert.pem.");
        }
        if (tls.Challenge is { } webroot && !Directory.Exists(webroot))
        {
            return CheckResult.Warning($"{summary} The folder {webroot}, which renewals write their challenge to, is not there.", $"mkdir -p {webroot}");
        }
        return await SocketUnit(stopping) is { } unit && unit.GetValueOrDefault("ActiveState") == "active" && unit.GetValueOrDefault("Listen")?.Contains($":{port} (Stream)", StringComparison.Ordinal) != true
            ? CheckResult.Warning($"{summary} {Systemctl.SocketUnit} does not hold port {port}: visitors are refused while the agent restarts.",
                $"Say 'systemctl edit {Systemctl.SocketUnit}' and give it [Socket] and ListenStream={port}, a line each; then 'systemctl stop {Systemctl.SocketUnit} {Systemctl.ServiceUnit}' and 'systemctl start {Systemctl.ServiceUnit}'.")
            : CheckResult.Ok(summary);
    }

    /// <summary>Asked as that user, for groups and access lists count as well.</summary>
    private static async Task<bool?> MayReadAsync(string path, CancellationToken stopping)
    {
        if (!Environment.IsPrivilegedProcess || !(await File.ReadAllLinesAsync("/etc/passwd", stopping)).Any(line => line.StartsWith(User + ":", StringComparison.Ordinal)))
        {
            return null;
        }
        try
        {
            using var process = Process.Start(new ProcessStartInfo("runuser", ["-u", User, "--", "test", "-r", path]) { UseShellExecute = false, RedirectStandardError = true })!;
            await process.StandardError.ReadToEndAsync(stopping);
            await process.WaitForExitAsync(stopping);
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return null;   // it is not installed
        }
    }
}
