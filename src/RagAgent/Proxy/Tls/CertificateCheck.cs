using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Diagnostics.Systemd;

namespace RagAgent.Proxy.Tls;

/// <summary>Checks whether the configured certificate can serve HTTPS, and for how long.</summary>
internal sealed class CertificateCheck(AgentConfig config, TimeProvider time) : ICheck
{
    public string Name => "tls";

    /// <summary>Whether the agent's user may read a file. Null: unknown.</summary>
    public Func<string, CancellationToken, Task<bool?>> MayRead { get; init; } = MayReadAsync;

    /// <summary>The socket unit's properties. Null: systemd doesn't run here.</summary>
    public Func<CancellationToken, Task<IReadOnlyDictionary<string, string>?>> SocketUnit { get; init; } =
        stopping => Systemctl.ShowAsync(Systemctl.SocketUnit, stopping);

    public async Task<CheckResult> RunAsync(CancellationToken stopping)
    {
        if (config is not { Listen.Https: { } port, Tls: { Certificate: { } certificate, Key: { } key } tls })
        {
            return CheckResult.Skipped("listen.https is not set: the front door serves HTTP only.");
        }
        var files = new CertificateFiles(certificate, key);
        var now = time.GetUtcNow();
        var loaded = files.Read(null, now);
        foreach (var (role, path) in new[] { ("certificate", certificate), ("private key", key) })
        {
            if (await MayRead(path, stopping) is false)
            {
                return CheckResult.Of(CertificateFiles.AccessDenied(role, path, ServiceAccount.Name));
            }
        }
        var validUntil = CertificateFiles.FormatDate(loaded.NotAfter);
        var summary = $"The certificate for {loaded}, issued by {loaded.Issuer}, is valid until {validUntil}.";
        if (files.ExpiryProblem(loaded, now) is { } expiry)
        {
            return CheckResult.Of(expiry);
        }
        if (!loaded.HasIssuerCertificate)
        {
            return CheckResult.Warning(
                $"{summary} {certificate} does not include the certificate that signed it, so some clients will not trust it.",
                "Set tls.certificate to certbot's fullchain.pem, not cert.pem.");
        }
        if (tls.Challenge is { } webroot && !Directory.Exists(webroot))
        {
            return CheckResult.Warning(
                $"{summary} The folder {webroot}, where renewals write their challenge, does not exist.", $"mkdir -p {webroot}");
        }
        return IsActiveWithoutPort(await SocketUnit(stopping), port)
            ? CheckResult.Warning(
                $"{summary} {Systemctl.SocketUnit} does not hold port {port}: connections are refused while the agent restarts.",
                $"Run 'systemctl edit {Systemctl.SocketUnit}' and add [Socket] and ListenStream={port}, each on its own line; " +
                $"then run 'systemctl stop {Systemctl.SocketUnit} {Systemctl.ServiceUnit}' and 'systemctl start {Systemctl.ServiceUnit}'.")
            : CheckResult.Ok(summary);
    }

    private static bool IsActiveWithoutPort(IReadOnlyDictionary<string, string>? socketUnit, int port) =>
        socketUnit is not null && socketUnit.GetValueOrDefault("ActiveState") == "active" &&
        socketUnit.GetValueOrDefault("Listen")?.Contains($":{port} (Stream)", StringComparison.Ordinal) != true;

    /// <summary>Runs <c>test -r</c> as that user, because groups and access control lists count too.</summary>
    private static async Task<bool?> MayReadAsync(string path, CancellationToken stopping)
    {
        if (!Environment.IsPrivilegedProcess || !await UserExistsAsync(stopping))
        {
            return null;
        }
        var result = await ChildProcess.RunAsync("runuser", ["-u", ServiceAccount.Name, "--", "test", "-r", path], stopping);
        return result.ExitCode is { } code ? code == 0 : null;
    }

    private static async Task<bool> UserExistsAsync(CancellationToken stopping) =>
        (await File.ReadAllLinesAsync("/etc/passwd", stopping))
            .Any(line => line.StartsWith(ServiceAccount.Name + ":", StringComparison.Ordinal));
}
