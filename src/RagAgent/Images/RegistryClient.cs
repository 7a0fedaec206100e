using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Polly;
using Polly.Retry;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Images;

/// <summary>What a tag points to.</summary>
internal sealed record Pointer(string Digest, string? MediaType);

/// <summary>The few calls of the OCI distribution API that tell what a tag is and what it consists of.</summary>
internal sealed class RegistryClient : IDisposable
{
    private const int LargestDocument = 8 * 1024 * 1024;
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(20);

    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly ResiliencePipeline<HttpResponseMessage> _calls;

    public RegistryClient(TimeProvider time)
    {
        _time = time;
        // Redirects to a blob store are followed; the handler drops our Authorization header on the way, which S3 demands.
        _http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(2) }) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ragagent", AgentVersion.Short));
        _calls = new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                ShouldHandle = new PredicateBuilder<HttpResponseMessage>()
                    .HandleResult(r => r.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError && !AsksForLonger(r)),
                MaxRetryAttempts = 2,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = TimeSpan.FromMilliseconds(500),
                DelayGenerator = args => ValueTask.FromResult(PauseAskedFor(args.Outcome.Result)),
            })
            .AddTimeout(AnswerWithin)
            .Build();
    }

    /// <summary>What the tag is now, without transferring its manifest where the registry allows that.</summary>
    public async Task<Pointer> ResolveAsync(RegistryAccess access, string path, string tag, string reference, CancellationToken stopping)
    {
        using (var head = await AskAsync(access, HttpMethod.Head, $"{path}/manifests/{tag}", stopping))
        {
            if (head.IsSuccessStatusCode && Digest(head) is { } digest)
            {
                return new Pointer(digest, head.Content.Headers.ContentType?.MediaType);
            }
            if (AsksForLonger(head))
            {
                throw Refused("", head, reference);
            }
        }
        // A refused HEAD carries no words, and some registries don't allow it: GET says what it is about.
        using var get = await AskAsync(access, HttpMethod.Get, $"{path}/manifests/{tag}", stopping);
        var body = await BodyAsync(access, get, reference, stopping);
        return new Pointer(Digest(get) ?? Sha256(body), get.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>A manifest or an index by its digest; what arrives is checked against it.</summary>
    public Task<byte[]> ManifestAsync(RegistryAccess access, string path, string digest, string reference, CancellationToken stopping) =>
        GetAsync(access, $"{path}/manifests/{digest}", digest, reference, stopping);

    /// <summary>A small blob (an image's config) by its digest; what arrives is checked against it.</summary>
    public Task<byte[]> BlobAsync(RegistryAccess access, string path, string digest, string reference, CancellationToken stopping) =>
        GetAsync(access, $"{path}/blobs/{digest}", digest, reference, stopping);

    public void Dispose() => _http.Dispose();

    private async Task<byte[]> GetAsync(RegistryAccess access, string what, string digest, string reference, CancellationToken stopping)
    {
        using var response = await AskAsync(access, HttpMethod.Get, what, stopping);
        var body = await BodyAsync(access, response, reference, stopping);
        return Sha256(body) == digest
            ? body
            : throw new ProblemException(new Problem("registry-corrupt", $"The registry sent something else than {Words.Digest(digest)} for {reference}.", Problems.TriesAgain));
    }

    private async Task<HttpResponseMessage> AskAsync(RegistryAccess access, HttpMethod method, string what, CancellationToken stopping)
    {
        try
        {
            var response = await SendAsync(access, method, what, null, stopping);
            if (response.StatusCode != HttpStatusCode.Unauthorized || BearerChallenge.Find(response) is not { } challenge)
            {
                return response;
            }
            response.Dispose();
            return await SendAsync(access, method, what, await WithinAsync(token => challenge.TokenAsync(_http, access, token), stopping), stopping);
        }
        catch (Exception e) when (MeansOutOfReach(e))
        {
            throw OutOfReach(access, e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(RegistryAccess access, HttpMethod method, string what, string? bearer, CancellationToken stopping) =>
        await _calls.ExecuteAsync(async token =>
        {
            using var request = new HttpRequestMessage(method, new Uri(access.Api, $"/v2/{what}"));
            request.Headers.Authorization = bearer is not null ? new AuthenticationHeaderValue("Bearer", bearer) : Basic(access);
            foreach (var type in MediaTypes.All)
            {
                request.Headers.Accept.ParseAdd(type);
            }
            return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, token);
        }, stopping);

    private static AuthenticationHeaderValue? Basic(RegistryAccess access) => access is { User: { } user, Password: { } password }
        ? new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password.Reveal()}")))
        : null;

    private async Task<byte[]> BodyAsync(RegistryAccess access, HttpResponseMessage response, string reference, CancellationToken stopping)
    {
        try
        {
            await WithinAsync(async token =>
            {
                await response.Content.LoadIntoBufferAsync(LargestDocument, token);
                return true;
            }, stopping);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw new ProblemException(new Problem("registry-corrupt", $"The registry's manifest for {reference} is too large to be one.", "Check what was pushed under this tag."), e);
        }
        catch (Exception e) when (MeansOutOfReach(e))
        {
            throw OutOfReach(access, e);
        }
        return response.IsSuccessStatusCode
            ? await response.Content.ReadAsByteArrayAsync(stopping)
            : throw Refused(RegistryProblems.Text(await response.Content.ReadAsStringAsync(stopping)), response, reference);
    }

    private ProblemException Refused(string text, HttpResponseMessage response, string reference) =>
        new(RegistryProblems.From(text, response.StatusCode, reference) with { RetryAfter = Asked(response) });

    /// <summary>A registry that falls silent in the middle of an answer is as far away as one that never answers.</summary>
    private async Task<T> WithinAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken stopping)
    {
        using var patience = new CancellationTokenSource(AnswerWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, patience.Token);
        try
        {
            return await call(either.Token);
        }
        catch (OperationCanceledException e) when (!stopping.IsCancellationRequested)
        {
            throw new TimeoutException("The registry fell silent.", e);
        }
    }

    private static bool MeansOutOfReach(Exception e) => e is HttpRequestException or IOException or TimeoutException or Polly.Timeout.TimeoutRejectedException;

    private static ProblemException OutOfReach(RegistryAccess access, Exception e) => new(new Problem("registry-unreachable",
        $"The registry {access.Host} can't be reached: {Problems.DescribeCause(e)}.", $"Check the instance's network and DNS. {Problems.TriesAgain}"), e);

    private static string? Digest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? values.FirstOrDefault() : null;

    private static string Sha256(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private TimeSpan? Asked(HttpResponseMessage response) => RetryAfter.Parse(response.Headers.RetryAfter, _time.GetUtcNow());

    private TimeSpan? PauseAskedFor(HttpResponseMessage? response) => response is null ? null : Asked(response);

    /// <summary>Longer than a caller should be kept waiting: it is told instead, and asks again when the time has come.</summary>
    private bool AsksForLonger(HttpResponseMessage response) => Asked(response) > LongestPause;
}
