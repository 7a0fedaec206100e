using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Secrets;

namespace RagAgent.Proxy.Access;

/// <summary>Reports who can reach the app from outside, as far as the machine knows. It can't see the security group.</summary>
/// <param name="config">The configuration with <c>access</c>.</param>
/// <param name="publicAddress">Asks for this machine's public IPv4 address. Null: it has none, or none is known.</param>
/// <param name="passwords">Reads the password's hash.</param>
internal sealed class ExposureCheck(
    AgentConfig config, Func<CancellationToken, Task<string?>> publicAddress, PasswordHashProvider passwords) : ICheck
{
    public string Name => "access";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => config.Access switch
    {
        null => OpenToEveryone(config.Listen.Http, await PublicAddressAsync(stopping)),
        { Password: null } access => CheckResult.Ok($"Only clients in {Networks(access)} get in."),
        { Password: { } source } access => await CheckPasswordAsync(access, source, stopping),
    };

    /// <param name="port">The front door's HTTP port.</param>
    /// <param name="address">This machine's public IPv4 address; null: none is known.</param>
    public static CheckResult OpenToEveryone(int port, string? address) => address is null
        ? CheckResult.Ok($"Everyone who can reach port {port} gets in; no public IPv4 address of this machine is known.")
        : new CheckResult(CheckOutcome.Note,
            $"This machine has the public address {address}, and everyone who can reach port {port} gets in. " +
            "The app, and whatever its API key can spend, is open to everyone whom the security group lets through.",
            """Ignore this if the security group limits who that is. Otherwise require a password, "access": """ +
            """{ "password": "/ragstream/PASSWORD_HASH" } with a hash from 'ragagent password', """ +
            """or allow networks, "access": { "networks": ["203.0.113.0/24"] }.""");

    /// <param name="access">An <c>access</c> section with a password.</param>
    public static CheckResult PasswordOverPlainHttp(AccessConfig access) => CheckResult.Warning(
        $"Clients get in with a password{OrNetworks(access)}, but it is sent unencrypted: others on the way can read it.",
        "Set listen.https and tls, and leave tls.redirect on. " +
        "Or put something that terminates TLS in front (a load balancer, CloudFront) and let the security group admit only that; " +
        "in that case, ignore this.");

    private async Task<CheckResult> CheckPasswordAsync(AccessConfig access, SecretConfig source, CancellationToken stopping)
    {
        if (source.Source == SecretSource.Credential && SecretReader.CredentialsDirectory is null)
        {
            return CheckResult.Skipped(
                "The password's hash is a systemd credential, which only the service can read; 'ragagent status' shows whether it did.");
        }
        var (hash, version) = await passwords.ReadHashAsync(source, stopping);
        if (hash is null)
        {
            return CheckResult.Of(PasswordHashProvider.InvalidHash(version, access.Networks.Count > 0));
        }
        return config.RedirectsToHttps
            ? CheckResult.Ok($"Clients get in with a password{OrNetworks(access)}.")
            : PasswordOverPlainHttp(access);
    }

    private async Task<string?> PublicAddressAsync(CancellationToken stopping)
    {
        try
        {
            return await publicAddress(stopping);
        }
        catch (ProblemException)
        {
            return null;   // another check reports that the instance metadata can't be reached
        }
    }

    private static string OrNetworks(AccessConfig access) => access.Networks.Count > 0 ? $" or from {Networks(access)}" : "";

    private static string Networks(AccessConfig access) => string.Join(", ", access.Networks);
}
