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

/// <summary>ECR's GetAuthorizationToken, signed by the SDK's signer. A token is kept for half of its life.</summary>
internal sealed partial class EcrAuthenticator(AwsContext context, BootTimeline boot, TimeProvider time) : IRegistryAuthenticator, IDisposable
{
    private const string AmzTarget = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(15);

    private readonly SemaphoreSlim _lock = new(1);
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
        .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>().HandleResult(r => r.StatusCode >= HttpStatusCode.InternalServerError),
            MaxRetryAttempts = 2,
            Delay = TimeSpan.FromMilliseconds(200),
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
        })
        .AddTimeout(ResponseTimeout)
        .Build();

    private (RegistryAccess Access, string Region, DateTimeOffset Until)? _cached;

    public void Dispose() => _lock.Dispose();

    public bool Handles(string host) => RegistryHostPattern().IsMatch(host);

    public async Task<RegistryAccess> AuthenticateAsync(string? host, bool refresh, CancellationToken stopping)
    {
        // A token opens the registries of one region only.
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

    private async Task<(RegistryAccess Access, string Region, DateTimeOffset Until)> RequestTokenAsync(RegionEndpoint region, AWSCredentials credentials, CancellationToken stopping)
    {
        var endpoint = new EcrClientConfig(region).EndpointUri;
        using var http = new HttpClient(new SigV4SigningHandler(credentials, region, "ecr", new SocketsHttpHandler())) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            using var response = await _pipeline.ExecuteAsync(async token => await http.SendAsync(CreateRequest(endpoint), token), stopping);
            var body = await response.Content.ReadAsByteArrayAsync(stopping);
            return response.IsSuccessStatusCode ? ParseToken(body, region) : throw ToException(response, body);
        }
        catch (Exception exception) when (exception is HttpRequestException or Polly.Timeout.TimeoutRejectedException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.EcrUnreachable, $"ECR at {endpoint.Authority} can't be reached: {ExceptionMapping.DescribeCause(exception)}.",
                $"Check the instance's network (a private subnet needs a NAT gateway or VPC endpoints for ecr.api and ecr.dkr). {ExceptionMapping.RetriesAutomatically}"), exception);
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

    private (RegistryAccess Access, string Region, DateTimeOffset Until) ParseToken(byte[] body, RegionEndpoint region)
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
            var access = new RegistryAccess(api.Authority, api, pair[..colon], new SecretValue(pair[(colon + 1)..]));
            return (access, region.SystemName, now + ((expires - now) / 2));
        }
        catch (Exception exception) when (exception is JsonException or FormatException or KeyNotFoundException or InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The answer holds a token: neither it nor the parser's words go into the message.
            throw new ProblemException(new Problem(ProblemCatalog.EcrGarbled, "ECR's answer with the registry token can't be understood.", ExceptionMapping.RetriesAutomatically));
        }
    }

    private ProblemException ToException(HttpResponseMessage response, byte[] body)
    {
        string? type = null, message = null;
        try
        {
            using var document = JsonDocument.Parse(body);
            type = document.RootElement.TryGetProperty("__type", out var t) ? t.GetString() : null;
            message = document.RootElement.TryGetProperty("message", out var m) || document.RootElement.TryGetProperty("Message", out m) ? m.GetString() : null;
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
        return new ProblemException(AwsProblems.From(type, message, "giving out a registry token", "ecr:GetAuthorizationToken", resource: "'*'") with
        {
            RetryAfter = RetryAfter.Parse(response.Headers.RetryAfter, time.GetUtcNow()),
        });
    }

    [GeneratedRegex(@"^\d{12}\.dkr[.-]ecr(-fips)?\.(?<region>[a-z0-9-]+)\.(amazonaws\.com(\.cn)?|amazonaws\.eu|on\.aws|on\.amazonwebservices\.com\.cn)\z")]
    private static partial Regex RegistryHostPattern();
}
