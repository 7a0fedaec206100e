using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Diagnostics.Checks;
using RagAgent.Secrets;

namespace RagAgent.Aws;

/// <summary>Who can reach the app from outside? The agent can't see what the security group allows.</summary>
internal sealed class AccessCheck(AgentConfig config, InstanceMetadata metadata, PasswordHashProvider passwords) : ICheck
{
    public string Name => "access";

    public async Task<CheckResult> RunAsync(CancellationToken stopping) => config.Access switch
    {
        null => OpenToEveryone(config.Listen.Http, await PublicAddressAsync(stopping)),
        { Password: null } access => CheckResult.Ok($"Only clients in {Networks(access)} get access."),
        { Password: { } source } access => await CheckPasswordAsync(access, source, stopping),
    };

    /// <param name="port">The front door's port.</param>
    /// <param name="address">This machine's public address; null if none is known.</param>
    public static CheckResult OpenToEveryone(int port, string? address) => address is null
        ? CheckResult.Ok($"Everyone who can reach port {port} gets access. No public IPv4 address of this machine is known.")
        : new CheckResult(
            CheckOutcome.Note,
            $"This machine has the public address {address}, and everyone who can reach port {port} gets access: the app, and what it can " +
            "spend with its key, is open to everyone whom the security group allows.",
            """Ignore this if the security group limits access. Otherwise require a password ("access": { "password": """ +
            """ "/ragstream/PASSWORD_HASH" }, with a hash from 'ragagent password') or allow only your networks """ +
            """("access": { "networks": ["203.0.113.0/24"] }).""");

    /// <param name="access">Access with a password.</param>
    public static CheckResult PasswordOverPlainHttp(AccessConfig access) => CheckResult.Warning(
        $"Clients get access with a password{OrNetworks(access)}, but it is sent unencrypted.",
        "Set listen.https and tls, and leave tls.redirect on. Or terminate TLS in front of the agent (load balancer, CloudFront) and let " +
        "the security group allow nothing else; then ignore this.");

    private async Task<CheckResult> CheckPasswordAsync(AccessConfig access, SecretConfig source, CancellationToken stopping)
    {
        if (source.Source == SecretSource.Credential && SecretReader.CredentialsDirectory is null)
        {
            return CheckResult.Skipped(
                "The password's hash is a systemd credential, which can only be read inside the unit. 'ragagent status' shows whether it was read.");
        }
        var (hash, version) = await passwords.ReadHashAsync(source, stopping);
        if (hash is null)
        {
            return CheckResult.Failed(PasswordHashProvider.InvalidHash(version, access.Networks.Count > 0));
        }
        return config.RedirectsToHttps
            ? CheckResult.Ok($"Clients get access with a password{OrNetworks(access)}.")
            : PasswordOverPlainHttp(access);
    }

    private async Task<string?> PublicAddressAsync(CancellationToken stopping)
    {
        try
        {
            return InstanceMetadata.IsDisabled ? null : await metadata.PublicIpv4Async(stopping);
        }
        catch (ProblemException)
        {
            return null;   // another check reports the missing instance metadata
        }
    }

    private static string OrNetworks(AccessConfig access) =>
        access.Networks.Count > 0 ? $" or from an address in {Networks(access)}" : "";

    private static string Networks(AccessConfig access) => string.Join(", ", access.Networks);
}
