using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Secrets;

namespace RagAgent.Aws;

/// <summary>Who can come in from outside, as far as that can be told from inside: what the security group lets through is not known here.</summary>
internal sealed class AccessCheck(AgentConfig config, InstanceMetadata metadata, PasswordHashProvider passwords) : ICheck
{
    public string Name => "access";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => config.Access switch
    {
        null => OpenToEveryone(config.Listen.Http, await PublicAddressAsync(stopping)),
        { Password: null } access => CheckResult.Ok($"Visitors come in from {Networks(access)} only."),
        { Password: { } source } access => await CheckPasswordAsync(access, source, stopping),
    };

    /// <param name="port">Of the front door.</param>
    /// <param name="address">That the internet has for this machine; null: none is known.</param>
    public static CheckResult OpenToEveryone(int port, string? address) => address is null
        ? CheckResult.Ok($"Whoever reaches port {port} comes in; no public IPv4 address of this machine is known.")
        : new CheckResult(CheckOutcome.Note, $"This machine has the public address {address}, and whoever reaches port {port} comes in: the app, and what it may spend by its key, is open to everyone whom the security group lets through.",
            """Ignore it when the security group limits who that is. Else ask for a password, "access": { "password": "/ragstream/PASSWORD_HASH" } with a hash from 'ragagent password', or name networks, "access": { "networks": ["203.0.113.0/24"] }.""");

    /// <param name="access">With a password.</param>
    public static CheckResult PasswordOverPlainHttp(AccessConfig access) => CheckResult.Warning(
        $"A password lets visitors in{OrNetworks(access)}; it travels in the clear, where others can read it on the way.",
        "Set listen.https and tls, with tls.redirect left on. Or put something in front that ends TLS (a load balancer, CloudFront), and let the security group admit nobody else; when that is so, ignore it.");

    private async Task<CheckResult> CheckPasswordAsync(AccessConfig access, SecretConfig source, CancellationToken stopping)
    {
        if (source.Source == SecretSource.Credential && SecretReader.CredentialsDirectory is null)
        {
            return CheckResult.Skipped("The password's hash is a systemd credential, which can only be read inside the unit; 'ragagent status' tells whether it was.");
        }
        var (hash, version) = await passwords.ReadHashAsync(source, stopping);
        return hash is null ? CheckResult.Failed(PasswordHashProvider.InvalidHash(version, access.Networks.Count > 0)) : config.RedirectsToHttps ? CheckResult.Ok($"A password lets visitors in{OrNetworks(access)}.") : PasswordOverPlainHttp(access);
    }

    private async Task<string?> PublicAddressAsync(CancellationToken stopping)
    {
        try
        {
            return InstanceMetadata.IsDisabled ? null : await metadata.PublicIpv4Async(stopping);
        }
        catch (ProblemException)
        {
            return null;   // that there is no instance metadata is told by another check
        }
    }

    private static string OrNetworks(AccessConfig access) => access.Networks.Count > 0 ? $", or an address in {Networks(access)}" : "";

    private static string Networks(AccessConfig access) => string.Join(", ", access.Networks);
}
