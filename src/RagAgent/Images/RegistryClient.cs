using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Polly;
using Polly.Retry;
using RagAgent.Common;
using RagAgent.Diagnostics;

namespace RagAgent.Images;

/// <summary>The calls of the OCI distribution API that resolve a tag and read manifests.</summary>
internal sealed class RegistryClient : IDisposable
{
    private const int MaxDocumentSize = 8 * 1024 * 1024;
    private static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;

    public RegistryClient(TimeProvider time)
    {
        _time = time;
        // Redirects to a blob store are followed. The handler then drops the Authorization header, as S3 requires.
        var handler = new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>().HandleResult(response =>
                    response.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError &&
                    !ExceedsMaxRetryDelay(response)),
                MaxRetryAttempts = 2,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(500),
                DelayGenerator = args => ValueTask.FromResult(RetryDelay(args.Outcome.Result)),
            })
            .AddTimeout(ResponseTimeout)
            .Build();
    }

    /// <summary>
    /// Looks up what the tag points to now. Uses HEAD, so that the manifest is not transferred if the registry supports it.
    /// </summary>
    public async Task<ManifestDescriptor> ResolveAsync(
        RegistryLogin access, string path, string tag, string reference, CancellationToken stopping)
    {
        using (var head = await SendAuthenticatedAsync(access, HttpMethod.Head, $"{path}/manifests/{tag}", stopping))
        {
            if (head.IsSuccessStatusCode && ReadDigestHeader(head) is { } digest)
            {
                return new ManifestDescriptor(digest, head.Content.Headers.ContentType?.MediaType);
            }
            if (ExceedsMaxRetryDelay(head))
            {
                throw ToException("", head, reference);
            }
        }
        // A refused HEAD carries no words, and some registries don't allow it: GET says what it is about.
        using var get = await SendAuthenticatedAsync(access, HttpMethod.Get, $"{path}/manifests/{tag}", stopping);
        var body = await ReadBodyAsync(access, get, reference, stopping);
        return new ManifestDescriptor(ReadDigestHeader(get) ?? Sha256(body), get.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>Downloads a manifest or an index and verifies its digest.</summary>
    public Task<byte[]> GetManifestAsync(
        RegistryLogin access, string path, string digest, string reference, CancellationToken stopping) =>
        GetVerifiedAsync(access, $"{path}/manifests/{digest}", digest, reference, stopping);

    /// <summary>Downloads a small blob (an image's config) and verifies its digest.</summary>
    public Task<byte[]> GetBlobAsync(
        RegistryLogin access, string path, string digest, string reference, CancellationToken stopping) =>
        GetVerifiedAsync(access, $"{path}/blobs/{digest}", digest, reference, stopping);

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> GetVerifiedAsync(
        RegistryLogin access, string resource, string digest, string reference, CancellationToken stopping)
    {
        using var response = await SendAuthenticatedAsync(access, HttpMethod.Get, resource, stopping);
        var body = await ReadBodyAsync(access, response, reference, stopping);
        return Sha256(body) == digest
            ? body
            : throw new ProblemException(new Problem(ProblemCatalog.RegistryCorrupt,
                $"The registry sent data for {reference} that doesn't match the digest {Humanize.Digest(digest)}.",
                ExceptionMapping.RetriesAutomatically));
    }

    private async Task<HttpResponseMessage> SendAuthenticatedAsync(
        RegistryLogin access, HttpMethod method, string resource, CancellationToken stopping)
    {
        var response = await SendAsync(access, method, resource, null, stopping);
        if (response.StatusCode != HttpStatusCode.Unauthorized || BearerTokenExchange.FromResponse(response) is not { } challenge)
        {
            return response;
        }
        response.Dispose();
        var bearer = await RequestTokenAsync(access, challenge, stopping);
        return await SendAsync(access, method, resource, bearer, stopping);
    }

    private async Task<string> RequestTokenAsync(RegistryLogin access, BearerTokenExchange challenge, CancellationToken stopping)
    {
        try
        {
            return await WithTimeoutAsync(token => challenge.RequestTokenAsync(_http, access, token), stopping);
        }
        catch (Exception exception) when (IsConnectionFailure(exception))
        {
            throw new ProblemException(new Problem(ProblemCatalog.RegistryUnreachable,
                $"{challenge.Realm.Authority}, which issues the tokens of the registry {access.Host}, can't be reached: " +
                $"{ExceptionMapping.DescribeCause(exception)}.",
                $"Check the instance's network and DNS. {ExceptionMapping.RetriesAutomatically}"), exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        RegistryLogin access, HttpMethod method, string resource, string? bearer, CancellationToken stopping)
    {
        HttpRequestMessage? last = null;
        try
        {
            return await _pipeline.ExecuteAsync(async token =>
            {
                using var request = last = new HttpRequestMessage(method, new Uri(access.ApiEndpoint, $"/v2/{resource}"));
                request.Headers.Authorization = bearer is not null
                    ? new AuthenticationHeaderValue("Bearer", bearer)
                    : BasicAuthorization(access);
                foreach (var type in MediaTypes.All)
                {
                    request.Headers.Accept.ParseAdd(type);
                }
                return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
            }, stopping);
        }
        catch (Exception exception) when (IsConnectionFailure(exception))
        {
            throw ConnectionFailure(access, last, exception);
        }
    }

    private static AuthenticationHeaderValue? BasicAuthorization(RegistryLogin access) =>
        access is { User: { } user, Password: { } password }
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password.Reveal()}")))
        : null;

    private async Task<byte[]> ReadBodyAsync(
        RegistryLogin access, HttpResponseMessage response, string reference, CancellationToken stopping)
    {
        try
        {
            await WithTimeoutAsync(async token =>
            {
                await response.Content.LoadIntoBufferAsync(MaxDocumentSize, token);
                return true;
            }, stopping);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new ProblemException(new Problem(ProblemCatalog.RegistryCorrupt,
                $"The registry sent more than {MaxDocumentSize / 1024 / 1024} MiB as the manifest for {reference}.",
                "Check what was pushed under this tag."), exception);
        }
        catch (Exception exception) when (IsConnectionFailure(exception))
        {
            throw ConnectionFailure(access, response.RequestMessage, exception);
        }
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsByteArrayAsync(stopping)
            : throw ToException(RegistryProblems.ErrorText(await response.Content.ReadAsStringAsync(stopping)), response, reference);
    }

    private ProblemException ToException(string text, HttpResponseMessage response, string reference) =>
        new(RegistryProblems.From(text, response.StatusCode, reference) with { RetryAfter = ReadRetryAfter(response) });

    /// <summary>A registry that stops in the middle of a response is treated like one that doesn't answer.</summary>
    private async Task<T> WithTimeoutAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(ResponseTimeout, _time, stopping);
        try
        {
            return await call(timeout.Token);
        }
        catch (OperationCanceledException exception) when (!stopping.IsCancellationRequested)
        {
            throw new TimeoutException("The registry stopped responding.", exception);
        }
    }

    private static bool IsConnectionFailure(Exception exception) =>
        exception is HttpRequestException or IOException or TimeoutException or Polly.Timeout.TimeoutRejectedException;

    /// <param name="access">The registry.</param>
    /// <param name="request">A redirect that was followed has changed its address.</param>
    /// <param name="exception">The failure.</param>
    private static ProblemException ConnectionFailure(RegistryLogin access, HttpRequestMessage? request, Exception exception)
    {
        var contacted = request?.RequestUri is { } address && address.Authority != access.ApiEndpoint.Authority
            ? address.Authority
            : access.Host;
        return new(UnreachableHost.ToProblem(access.Host, contacted, ExceptionMapping.DescribeCause(exception)), exception);
    }

    private static string? ReadDigestHeader(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.FirstOrDefault() : null;

    private static string Sha256(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private TimeSpan? ReadRetryAfter(HttpResponseMessage response) => RetryAfter.Parse(response.Headers.RetryAfter, _time.GetUtcNow());

    private TimeSpan? RetryDelay(HttpResponseMessage? response) => response is null ? null : ReadRetryAfter(response);

    /// <summary>The registry asks for a longer wait than a caller should block for. The problem then carries the time instead.</summary>
    private bool ExceedsMaxRetryDelay(HttpResponseMessage response) => ReadRetryAfter(response) > MaxRetryDelay;
}
