using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.Signing;
using Polly;
using Polly.Retry;
using RagAgent.Common;
using RagAgent.Diagnostics;
using RagAgent.Diagnostics.BootTiming;
using RagAgent.Images;
using RagAgent.Secrets;

namespace RagAgent.Aws;

/// <summary>
/// Gets registry tokens from ECR's GetAuthorizationToken, signed by the SDK's signer. Keeps a token for half of its lifetime.
/// </summary>
internal sealed partial class EcrAuthenticator(AwsContext context, BootTimeline boot, TimeProvider time)
    : IRegistryAuthenticator, IDisposable
{
    private const string AmzTarget = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _lock = new(1);
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline =
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                .HandleResult(response => response.StatusCode >= HttpStatusCode.InternalServerError),
            MaxRetryAttempts = 2,
            Delay = TimeSpan.FromMilliseconds(200),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .AddTimeout(ResponseTimeout)
        .Build();

    private (RegistryLogin Access, string Region, DateTimeOffset Until)? _cached;

    public void Dispose() => _lock.Dispose();

    public bool Handles(string host) => RegistryHostPattern().IsMatch(host);

    public async Task<RegistryLogin> AuthenticateAsync(string? host, bool refresh, CancellationToken stopping)
    {
        // A token is only valid for the registries of one region.
        var region = host is not null && RegistryHostPattern().Match(host) is { Success: true } match
            ? RegionEndpoint.GetBySystemName(match.Groups["region"].Value)
            : await context.RegionAsync(stopping);
        await _lock.WaitAsync(stopping);
        try
        {
            if (refresh || _cached is not { } cached || cached.Region != region.SystemName || time.GetUtcNow() >= cached.Until)
            {
                _cached = await context.CallAsync(credentials => RequestTokenAsync(region, credentials, stopping), stopping);
                boot.Reach(BootMilestone.Token);
            }
            var access = _cached.Value.Access;
            return host is null ? access : access with { Host = host, ApiEndpoint = new Uri($"https://{host}") };
        }
        finally
        {
            _lock.Release();
        }
    }

    private async Task<(RegistryLogin Access, string Region, DateTimeOffset Until)> RequestTokenAsync(
        RegionEndpoint region, AWSCredentials credentials, CancellationToken stopping)
    {
        var endpoint = new EcrClientConfig(region).EndpointUri;
        var signing = new SigV4SigningHandler(credentials, region, "ecr", new SocketsHttpHandler());
        using var http = new HttpClient(signing) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var response = await _pipeline.ExecuteAsync(
                async token => await http.SendAsync(CreateRequest(endpoint), token), stopping);
            var body = await response.Content.ReadAsByteArrayAsync(stopping);
            return response.IsSuccessStatusCode ? ParseToken(body, region) : throw ToException(response, body);
        }
        catch (Exception exception) when (exception is HttpRequestException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.EcrUnreachable,
                $"ECR at {endpoint.Authority} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                "Check the instance's network (a private subnet needs a NAT gateway or VPC endpoints for ecr.api and ecr.dkr). " +
                ExceptionMapping.RetriesAutomatically), exception);
        }
    }

    private static HttpRequestMessage CreateRequest(Uri endpoint)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new ByteArrayContent("{}"u8.ToArray()) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1");
        request.Headers.Add("X-Amz-Target", AmzTarget);
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        return request;
    }

    private (RegistryLogin Access, string Region, DateTimeOffset Until) ParseToken(byte[] body, RegionEndpoint region)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var data = document.RootElement.GetProperty("authorizationData")[0];
            var pair = Encoding.UTF8.GetString(data.GetProperty("authorizationToken").GetBytesFromBase64());
            var expires = DateTimeOffset.UnixEpoch.AddSeconds(data.GetProperty("expiresAt").GetDouble());
            var api = new Uri(data.GetProperty("proxyEndpoint").GetString() ?? "");
            var colon = pair.IndexOf(':');
            var now = time.GetUtcNow();
            var access = new RegistryLogin(api.Authority, api, pair[..colon], new SecretValue(pair[(colon + 1)..]));
            return (access, region.SystemName, now + ((expires - now) / 2));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or KeyNotFoundException
            or InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The response contains a token, so neither it nor the parser's message may be shown.
            throw new ProblemException(new Problem(ProblemCatalog.EcrGarbled,
                "ECR's response to the request for a registry token is not valid.", ExceptionMapping.RetriesAutomatically));
        }
    }

    private ProblemException ToException(HttpResponseMessage response, byte[] body)
    {
        string? type = null, message = null;
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            type = root.TryGetProperty("__type", out var typeElement) ? typeElement.GetString() : null;
            message = root.TryGetProperty("message", out var messageElement) || root.TryGetProperty("Message", out messageElement)
                ? messageElement.GetString()
                : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            message = $"HTTP {(int)response.StatusCode}";
        }
        if (response.Headers.TryGetValues("x-amzn-ErrorType", out var header))
        {
            type = header.First();
        }
        type = type?[(type.IndexOf('#') + 1)..].Split(':')[0];
        var problem = AwsProblems.From(type, message, "issue a registry token", "ecr:GetAuthorizationToken", resource: "'*'");
        return new ProblemException(problem with { RetryAfter = RetryAfter.Parse(response.Headers.RetryAfter, time.GetUtcNow()) });
    }

    [GeneratedRegex(
        @"^\d{12}\.dkr[.-]ecr(-fips)?\.(?<region>[a-z0-9-]+)\." +
        @"(amazonaws\.com(\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn)\z")]
    private static partial Regex RegistryHostPattern();
}
