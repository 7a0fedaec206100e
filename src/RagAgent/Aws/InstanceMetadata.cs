using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Amazon.Runtime;
using RagAgent.Common;

namespace RagAgent.Aws;

/// <summary>
/// Reads the instance metadata service (IMDSv2 only): region, identity, public addresses, and why there are no credentials.
/// </summary>
/// <remarks>Respects <c>AWS_EC2_METADATA_DISABLED</c> and <c>AWS_EC2_METADATA_SERVICE_ENDPOINT</c>. Never uses a proxy.</remarks>
internal sealed class InstanceMetadata : IDisposable
{
    private const string DefaultEndpoint = "http://169.254.169.254";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public InstanceMetadata(TimeProvider time) => _time = time;

    /// <summary>The standard variable disables the service, as on a developer's machine.</summary>
    public static bool IsDisabled =>
        string.Equals(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The service's address: from the standard variable, or the link-local address.</summary>
    /// <exception cref="ProblemException">The variable is not a URL.</exception>
    public static Uri Endpoint
    {
        get
        {
            var configured = Environment.GetEnvironmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
            var address = string.IsNullOrEmpty(configured) ? DefaultEndpoint : configured;
            return Uri.TryCreate(address, UriKind.Absolute, out var endpoint) && (endpoint.Scheme is "http" or "https")
                ? endpoint
                : throw new ProblemException(new Problem(ProblemCatalog.ImdsEndpoint,
                    $"AWS_EC2_METADATA_SERVICE_ENDPOINT is '{address}', which is not a URL like http://127.0.0.1:1338.",
                    "Correct it, or unset it on an EC2 instance. Then restart the agent."));
        }
    }

    /// <summary>
    /// Keeps the SDK from asking a configured proxy for the instance's credentials: they must not leave the machine, and no proxy could
    /// reach them. Changes this process's <c>NO_PROXY</c> and <c>no_proxy</c>, because programs read one or the other. Call it before the
    /// first request.
    /// </summary>
    public static void BypassProxies()
    {
        string[] spellings = ["no_proxy", "NO_PROXY"];
        const StringSplitOptions trimmed = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;
        try
        {
            var hosts = spellings
                .SelectMany(name => (Environment.GetEnvironmentVariable(name) ?? "").Split(',', trimmed))
                .Append(Endpoint.Host)
                .Distinct();
            foreach (var name in spellings)
            {
                Environment.SetEnvironmentVariable(name, string.Join(',', hosts));
            }
        }
        catch (ProblemException)
        {
            return;   // the first call that needs the service reports it
        }
    }

    /// <exception cref="ProblemException">The region can't be read. The problem says why.</exception>
    public Task<string> RegionAsync(CancellationToken stopping) => GetAsync("placement/region", stopping);

    /// <exception cref="ProblemException">The ID can't be read. The problem says why.</exception>
    public Task<string> InstanceIdAsync(CancellationToken stopping) => GetAsync("instance-id", stopping);

    /// <exception cref="ProblemException">The identity can't be read. The problem says why.</exception>
    public async Task<InstanceIdentity> IdentityAsync(CancellationToken stopping)
    {
        var json = await GetAsync("instance-identity/document", stopping, "dynamic");
        try
        {
            using var document = JsonDocument.Parse(json);
            string Text(string name) =>
                document.RootElement.GetProperty(name).GetString() is { Length: > 0 } text ? text : throw new KeyNotFoundException(name);
            return new InstanceIdentity(Text("instanceId"), Text("region"), Text("accountId"));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsGarbled,
                "The instance metadata service sent an invalid identity document.", ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    /// <returns>The public IPv4 address; null if the instance has none.</returns>
    /// <exception cref="ProblemException">The service can't be read. The problem says why.</exception>
    public Task<string?> PublicIpv4Async(CancellationToken stopping) => FindAsync("public-ipv4", stopping);

    /// <summary>The instance's public IPv4 address, then the first IPv6 address of its first network interface.</summary>
    /// <returns>At most one of each. Empty if the instance has no public address.</returns>
    /// <exception cref="ProblemException">The service can't be read. The problem says why.</exception>
    public async Task<IReadOnlyList<IPAddress>> PublicAddressesAsync(CancellationToken stopping)
    {
        var found = new List<IPAddress>();
        if (IPAddress.TryParse(await FindAsync("public-ipv4", stopping), out var ipv4) && ipv4.AddressFamily == AddressFamily.InterNetwork)
        {
            found.Add(ipv4);
        }
        if (IPAddress.TryParse(await FindAsync("ipv6", stopping), out var ipv6) && IsPublicIpv6(ipv6))
        {
            found.Add(ipv6);
        }
        return found;
    }

    /// <summary>The role's current credentials.</summary>
    /// <returns>Null if the instance offers none.</returns>
    /// <exception cref="ProblemException">The service can't be read. The problem says why.</exception>
    public async Task<SessionAWSCredentials?> CredentialsAsync(CancellationToken stopping)
    {
        var (_, json) = await RoleCredentialsAsync(stopping);
        try
        {
            using var document = JsonDocument.Parse(json);
            string? Text(string name) => document.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
            return Text("AccessKeyId") is { Length: > 0 } id && Text("SecretAccessKey") is { Length: > 0 } key && Text("Token") is { Length: > 0 } token
                ? new SessionAWSCredentials(id, key, token)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;   // the exception's text may contain a key
        }
    }

    /// <summary>Finds out why the instance offers no credentials.</summary>
    /// <returns>Null if it offers some, so the cause is elsewhere.</returns>
    public async Task<Problem?> ExplainMissingCredentialsAsync(CancellationToken stopping)
    {
        try
        {
            var (role, json) = await RoleCredentialsAsync(stopping);
            using var document = JsonDocument.Parse(json);
            var code = document.RootElement.TryGetProperty("Code", out var value) ? value.GetString() : null;
            return code == "Success" ? null : new Problem(ProblemCatalog.ImdsRoleRefused,
                $"The instance metadata service has no credentials for the role {role}: {code}.",
                $"Check that the role's trust policy lets ec2.amazonaws.com assume it. {ExceptionMapping.RetriesAutomatically}");
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImdsMissing)
        {
            return new Problem(ProblemCatalog.ImdsNoRole, "The instance has no IAM role, so there are no AWS credentials.",
                "Attach an instance profile with the agent's role to the instance. The agent picks it up without a restart.");
        }
        catch (ProblemException exception)
        {
            return exception.Problem;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return new Problem(ProblemCatalog.ImdsGarbled,
                "The instance metadata service sent invalid credentials.", ExceptionMapping.RetriesAutomatically);
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Global unicast (2000::/3). A subnet may also have private addresses (fd00::/8).</summary>
    private static bool IsPublicIpv6(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.GetAddressBytes()[0] >> 5 == 1;

    private async Task<(string Role, string Json)> RoleCredentialsAsync(CancellationToken stopping)
    {
        var role = (await GetAsync("iam/security-credentials/", stopping)).Trim();
        return (role, await GetAsync($"iam/security-credentials/{role}", stopping));
    }

    private async Task<string?> FindAsync(string path, CancellationToken stopping)
    {
        try
        {
            return (await GetAsync(path, stopping)).Trim() is { Length: > 0 } value ? value : null;
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImdsMissing)
        {
            return null;
        }
    }

    private async Task<string> GetAsync(string path, CancellationToken stopping, string category = "meta-data")
    {
        if (IsDisabled)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsDisabled,
                "The instance metadata service is disabled (AWS_EC2_METADATA_DISABLED).",
                "Set credentials and a region with the standard AWS variables or a profile."));
        }
        using var timeout = new LinkedTimeout(ResponseTimeout, _time, stopping);
        try
        {
            // A session can end early. A new one gets another try.
            using var first = await SendAsync($"{category}/{path}", timeout.Token);
            using var second = first.StatusCode == HttpStatusCode.Unauthorized ? await SendAsync($"{category}/{path}", timeout.Token) : null;
            var response = second ?? first;
            return response.StatusCode switch
            {
                HttpStatusCode.NotFound => throw new ProblemException(new Problem(ProblemCatalog.ImdsMissing,
                    $"The instance metadata service has no {path}.", ExceptionMapping.RetriesAutomatically)),
                _ when !response.IsSuccessStatusCode => throw ToException($"answered {(int)response.StatusCode} for {path}"),
                _ => await response.Content.ReadAsStringAsync(timeout.Token),
            };
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsSilent,
                $"The instance metadata service at {Endpoint.Authority} did not answer within {Humanize.Duration(ResponseTimeout)}.",
                "Check that it is enabled. If the agent runs in a container, the hop limit must be 2. " +
                ExceptionMapping.RetriesAutomatically));
        }
        catch (HttpRequestException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsUnreachable,
                $"The instance metadata service at {Endpoint.Authority} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                "On an EC2 instance, check that it is enabled. Elsewhere, set credentials and AWS_REGION with the standard variables or a " +
                "profile."), exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(string path, CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Endpoint, $"/latest/{path}"));
        request.Headers.Add("X-aws-ec2-metadata-token", await TokenAsync(stopping));
        return await _http.SendAsync(request, stopping);
    }

    private async Task<string> TokenAsync(CancellationToken stopping)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, new Uri(Endpoint, "/latest/api/token"));
        request.Headers.Add("X-aws-ec2-metadata-token-ttl-seconds", "300");
        using var response = await _http.SendAsync(request, stopping);
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsStringAsync(stopping)
            : throw ToException($"refused to issue a session token ({(int)response.StatusCode})");
    }

    private static ProblemException ToException(string failure) => new(new Problem(ProblemCatalog.ImdsRefused,
        $"The instance metadata service {failure}.",
        "Check the instance's metadata options (HttpEndpoint must be enabled) and any local firewall or proxy. " +
        ExceptionMapping.RetriesAutomatically));
}
