using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Polly;
using Polly.Retry;
using RagAgent.Common;
using RagAgent.Diagnostics;

namespace RagAgent.Images;

/// <summary>What a tag points to.</summary>
internal sealed record ManifestDescriptor(string Digest, string? MediaType);

/// <summary>The few calls of the OCI distribution API that tell what a tag is and what it consists of.</summary>
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
        // Redirects to a blob store are followed; the handler drops our Authorization header on the way, which S3 demands.
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) }) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        _pipeline = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                    .HandleResult(r => r.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError && !ExceedsMaxRetryDelay(r)),
                MaxRetryAttempts = 2,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(500),
                DelayGenerator = args => ValueTask.FromResult(RetryDelay(args.Outcome.Result)),
            })
            .AddTimeout(ResponseTimeout)
            .Build();
    }

    /// <summary>What the tag is now, without transferring its manifest where the registry allows that.</summary>
    public async Task<ManifestDescriptor> ResolveAsync(RegistryAccess access, string path, string tag, string reference, CancellationToken stopping)
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

    /// <summary>A manifest or an index by its digest; what arrives is checked against it.</summary>
    public Task<byte[]> GetManifestAsync(RegistryAccess access, string path, string digest, string reference, CancellationToken stopping) =>
        GetVerifiedAsync(access, $"{path}/manifests/{digest}", digest, reference, stopping);

    /// <summary>A small blob (an image's config) by its digest; what arrives is checked against it.</summary>
    public Task<byte[]> GetBlobAsync(RegistryAccess access, string path, string digest, string reference, CancellationToken stopping) =>
        GetVerifiedAsync(access, $"{path}/blobs/{digest}", digest, reference, stopping);

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> GetVerifiedAsync(RegistryAccess access, string resource, string digest, string reference, CancellationToken stopping)
    {
        using var response = await SendAuthenticatedAsync(access, HttpMethod.Get, resource, stopping);
        var body = await ReadBodyAsync(access, response, reference, stopping);
        return Sha256(body) == digest
            ? body
            : throw new ProblemException(new Problem(ProblemCatalog.RegistryCorrupt, $"The registry sent something else than {Humanize.Digest(digest)} for {reference}.", ExceptionMapping.RetriesAutomatically));
    }

    private async Task<HttpResponseMessage> SendAuthenticatedAsync(RegistryAccess access, HttpMethod method, string resource, CancellationToken stopping)
    {
        try
        {
            var response = await SendAsync(access, method, resource, null, stopping);
            if (response.StatusCode != HttpStatusCode.Unauthorized || BearerChallenge.FromResponse(response) is not { } challenge)
            {
                return response;
            }
            response.Dispose();
            return await SendAsync(access, method, resource, await WithTimeoutAsync(token => challenge.RequestTokenAsync(_http, access, token), stopping), stopping);
        }
        catch (Exception exception) when (IsConnectionFailure(exception))
        {
            throw ConnectionFailure(access, exception);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(RegistryAccess access, HttpMethod method, string resource, string? bearer, CancellationToken stopping) =>
        await _pipeline.ExecuteAsync(async token =>
        {
            using var request = new HttpRequestMessage(method, new Uri(access.ApiEndpoint, $"/v2/{resource}"));
            request.Headers.Authorization = bearer is not null ? new AuthenticationHeaderValue("Bearer", bearer) : BasicAuthorization(access);
            foreach (var type in MediaTypes.All)
            {
                request.Headers.Accept.ParseAdd(type);
            }
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }, stopping);

    private static AuthenticationHeaderValue? BasicAuthorization(RegistryAccess access) => access is { User: { } user, Password: { } password }
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password.Reveal()}")))
        : null;

    private async Task<byte[]> ReadBodyAsync(RegistryAccess access, HttpResponseMessage response, string reference, CancellationToken stopping)
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
            throw new ProblemException(new Problem(ProblemCatalog.RegistryCorrupt, $"The registry's manifest for {reference} is too large to be one.", "Check what was pushed under this tag."), exception);
        }
        catch (Exception exception) when (IsConnectionFailure(exception))
        {
            throw ConnectionFailure(access, exception);
        }
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsByteArrayAsync(stopping)
            : throw ToException(RegistryProblems.ErrorText(await response.Content.ReadAsStringAsync(stopping)), response, reference);
    }

    private ProblemException ToException(string text, HttpResponseMessage response, string reference) =>
        new(RegistryProblems.From(text, response.StatusCode, reference) with { RetryAfter = ReadRetryAfter(response) });

    /// <summary>A registry that falls silent in the middle of an answer is as far away as one that never answers.</summary>
    private async Task<T> WithTimeoutAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(ResponseTimeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            return await call(linked.Token);
        }
        catch (OperationCanceledException exception) when (!stopping.IsCancellationRequested)
        {
            throw new TimeoutException("The registry fell silent.", exception);
        }
    }

    private static bool IsConnectionFailure(Exception exception) => exception is HttpRequestException or IOException or TimeoutException or Polly.Timeout.TimeoutRejectedException;

    private static ProblemException ConnectionFailure(RegistryAccess access, Exception exception) => new(new Problem(ProblemCatalog.RegistryUnreachable,
        $"The registry {access.Host} can't be reached: {ExceptionMapping.DescribeCause(exception)}.", $"Check the instance's network and DNS. {ExceptionMapping.RetriesAutomatically}"), exception);

    private static string? ReadDigestHeader(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.FirstOrDefault() : null;

    private static string Sha256(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private TimeSpan? ReadRetryAfter(HttpResponseMessage response) => RetryAfter.Parse(response.Headers.RetryAfter, _time.GetUtcNow());

    private TimeSpan? RetryDelay(HttpResponseMessage? response) => response is null ? null : ReadRetryAfter(response);

    /// <summary>Longer than a caller should be kept waiting: it is told instead, and asks again when the time has come.</summary>
    private bool ExceedsMaxRetryDelay(HttpResponseMessage response) => ReadRetryAfter(response) > MaxRetryDelay;
}
