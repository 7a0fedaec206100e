using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Amazon.Runtime;
using RagAgent.Common;

namespace RagAgent.Aws;

/// <summary>The instance metadata service, version 2 only. Used for the region, and to tell why there are no credentials.</summary>
/// <remarks>Respects <c>AWS_EC2_METADATA_DISABLED</c> and <c>AWS_EC2_METADATA_SERVICE_ENDPOINT</c>. No proxy is ever used for it.</remarks>
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

    /// <summary>It was switched off by the standard variable: this is a developer's machine.</summary>
    public static bool IsDisabled => string.Equals(Environment.GetEnvironmentVariable("AWS_EC2_METADATA_DISABLED"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where it is: the standard variable, or the link-local address.</summary>
    /// <exception cref="ProblemException">The variable holds no address.</exception>
    public static Uri Endpoint
    {
        get
        {
            var address = Environment.GetEnvironmentVariable("AWS_EC2_METADATA_SERVICE_ENDPOINT") is { Length: > 0 } set ? set : DefaultEndpoint;
            return Uri.TryCreate(address, UriKind.Absolute, out var endpoint) && (endpoint.Scheme is "http" or "https")
                ? endpoint
                : throw new ProblemException(new Problem(ProblemCatalog.ImdsEndpoint, $"AWS_EC2_METADATA_SERVICE_ENDPOINT is '{address}', which is no address like http://127.0.0.1:1338.",
                    "Correct it, or unset it on an EC2 instance, and restart the agent."));
        }
    }

    /// <summary>
    /// Keeps the SDK, too, from asking a configured proxy for the instance's credentials: they must not leave the machine, and
    /// no proxy could reach them. Changes this process's <c>NO_PROXY</c> and <c>no_proxy</c>, of which programs read one or the other; to be called before its first request.
    /// </summary>
    public static void BypassProxies()
    {
        string[] spellings = ["no_proxy", "NO_PROXY"];
        try
        {
            var hosts = spellings.SelectMany(name => (Environment.GetEnvironmentVariable(name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
                .Append(Endpoint.Host).Distinct();
            foreach (var name in spellings)
            {
                Environment.SetEnvironmentVariable(name, string.Join(',', hosts));
            }
        }
        catch (ProblemException)
        {
            return;   // told as a problem by the first call that needs it, while the agent runs
        }
    }

    /// <exception cref="ProblemException">It can't be had; says why.</exception>
    public Task<string> RegionAsync(CancellationToken stopping) => GetAsync("placement/region", stopping);

    /// <exception cref="ProblemException">It can't be had; says why.</exception>
    public Task<string> InstanceIdAsync(CancellationToken stopping) => GetAsync("instance-id", stopping);

    /// <summary>Which instance this is, to EC2 and to IAM.</summary>
    /// <exception cref="ProblemException">It can't be had; says why.</exception>
    public async Task<InstanceIdentity> IdentityAsync(CancellationToken stopping)
    {
        var json = await GetAsync("instance-identity/document", stopping, "dynamic");
        try
        {
            using var document = JsonDocument.Parse(json);
            string Text(string name) => document.RootElement.GetProperty(name).GetString() is { Length: > 0 } text ? text : throw new KeyNotFoundException(name);
            return new InstanceIdentity(Text("instanceId"), Text("region"), Text("accountId"));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsGarbled, "The instance metadata's identity document can't be understood.", ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    /// <summary>By which the internet reaches the instance.</summary>
    /// <returns>Null: it has none.</returns>
    /// <exception cref="ProblemException">It can't be asked; says why.</exception>
    public Task<string?> PublicIpv4Async(CancellationToken stopping) => FindAsync("public-ipv4", stopping);

    /// <summary>By which the internet reaches the instance: its public IPv4 address, then the first IPv6 address of its first network interface.</summary>
    /// <returns>At most one of each; none when it has none that the internet knows.</returns>
    /// <exception cref="ProblemException">It can't be asked; says why.</exception>
    public async Task<IReadOnlyList<IPAddress>> PublicAddressesAsync(CancellationToken stopping)
    {
        var found = new List<IPAddress>();
        if (IPAddress.TryParse(await FindAsync("public-ipv4", stopping), out var ipv4) && ipv4.AddressFamily == AddressFamily.InterNetwork)
        {
            found.Add(ipv4);
        }
        // Global unicast alone (2000::/3): a subnet may have private ones (fd00::/8).
        if (IPAddress.TryParse(await FindAsync("ipv6", stopping), out var ipv6) && ipv6.AddressFamily == AddressFamily.InterNetworkV6 && ipv6.GetAddressBytes()[0] >> 5 == 1)
        {
            found.Add(ipv6);
        }
        return found;
    }

    /// <summary>The role's credentials as they are now.</summary>
    /// <returns>Null: it has none to give.</returns>
    /// <exception cref="ProblemException">It can't be asked; says why.</exception>
    public async Task<SessionAWSCredentials?> CredentialsAsync(CancellationToken stopping)
    {
        var (_, json) = await RoleCredentialsAsync(stopping);
        try
        {
            using var document = JsonDocument.Parse(json);
            string? Text(string name) => document.RootElement.TryGetProperty(name, out var value) ? value.GetString() : null;
            return (Text("AccessKeyId"), Text("SecretAccessKey"), Text("Token")) is ({ Length: > 0 } id, { Length: > 0 } key, { Length: > 0 } token)
                ? new SessionAWSCredentials(id, key, token)
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;   // its words may hold a key
        }
    }

    /// <summary>Why the instance has no credentials to give.</summary>
    /// <returns>Null when it has some, so that the cause lies elsewhere.</returns>
    public async Task<Problem?> ExplainMissingCredentialsAsync(CancellationToken stopping)
    {
        try
        {
            var (role, json) = await RoleCredentialsAsync(stopping);
            using var document = JsonDocument.Parse(json);
            var code = document.RootElement.TryGetProperty("Code", out var value) ? value.GetString() : null;
            return code == "Success" ? null : new Problem(ProblemCatalog.ImdsRoleRefused,
                $"The instance metadata gives no credentials for the role {role}: {code}.",
                "Check that the role's trust policy lets ec2.amazonaws.com assume it; the agent asks again by itself.");
        }
        catch (ProblemException exception) when (exception.Problem.Kind == ProblemCatalog.ImdsMissing)
        {
            return new Problem(ProblemCatalog.ImdsNoRole, "The instance has no IAM role yet, so there are no AWS credentials.",
                "Attach an instance profile with the agent's role to the instance; a role that is attached now is picked up without a restart.");
        }
        catch (ProblemException exception)
        {
            return exception.Problem;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return new Problem(ProblemCatalog.ImdsGarbled, "The instance metadata's credentials can't be understood.", ExceptionMapping.RetriesAutomatically);
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<(string Role, string Answer)> RoleCredentialsAsync(CancellationToken stopping)
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
            throw new ProblemException(new Problem(ProblemCatalog.ImdsDisabled, "The instance metadata is switched off (AWS_EC2_METADATA_DISABLED).",
                "Give credentials and a region by the standard AWS variables or a profile."));
        }
        using var timeout = new CancellationTokenSource(ResponseTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            // A session can end before its time: the next one is as good as the first.
            using var first = await SendAsync($"{category}/{path}", linked.Token);
            using var second = first.StatusCode == HttpStatusCode.Unauthorized ? await SendAsync($"{category}/{path}", linked.Token) : null;
            var response = second ?? first;
            return response.StatusCode switch
            {
                HttpStatusCode.NotFound => throw new ProblemException(new Problem(ProblemCatalog.ImdsMissing, $"The instance metadata has no {path}.", ExceptionMapping.RetriesAutomatically)),
                _ when !response.IsSuccessStatusCode => throw ToException($"answered {(int)response.StatusCode} for {path}"),
                _ => await response.Content.ReadAsStringAsync(linked.Token),
            };
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsSilent, $"The instance metadata service at {Endpoint.Authority} does not answer within {Humanize.Duration(ResponseTimeout)}.",
                "Check that it is enabled and, inside a container, that the hop limit is 2; the agent asks again by itself."));
        }
        catch (HttpRequestException exception)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ImdsUnreachable, $"The instance metadata service at {Endpoint.Authority} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                "On an EC2 instance, check that it is enabled; elsewhere, give credentials and AWS_REGION by the standard variables or a profile."), exception);
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
            : throw ToException($"refused to give a session token ({(int)response.StatusCode})");
    }

    private static ProblemException ToException(string failure) => new(new Problem(ProblemCatalog.ImdsRefused, $"The instance metadata service {failure}.",
        "Check the instance's metadata options (HttpEndpoint must be enabled) and any local firewall or proxy; the agent asks again by itself."));
}

/// <param name="InstanceId">As <c>i-0123456789abcdef0</c>.</param>
/// <param name="Region">Where it runs; the agent's other calls may go to another one.</param>
/// <param name="AccountId">Twelve digits.</param>
internal sealed record InstanceIdentity(string InstanceId, string Region, string AccountId);
