using System.Collections.Concurrent;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A number of visitors, each of whom comes again as soon as the answer is there.</summary>
internal sealed class Visitors : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly ConcurrentQueue<Visit> _visits = new();
    private readonly Task _all;

    public Visitors(Uri address, int number) => _all = Task.WhenAll(Enumerable.Range(0, number).Select(_ => ComeAsync(address)));

    /// <summary>How each visit so far ended, in order.</summary>
    public IReadOnlyCollection<Visit> Visits => _visits;

    /// <summary>All visits, once the last one has its answer.</summary>
    public async Task<IReadOnlyCollection<Visit>> EndAsync()
    {
        await _end.CancelAsync();
        await _all;
        return _visits;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _http.Dispose();
        _end.Dispose();
    }

    private async Task ComeAsync(Uri address)
    {
        await Task.Yield();
        while (!_end.IsCancellationRequested)
        {
            _visits.Enqueue(await VisitAsync(address));
        }
    }

    private async Task<Visit> VisitAsync(Uri address)
    {
        var asked = TimeProvider.System.GetTimestamp();
        try
        {
            using var response = await _http.GetAsync(address);
            return new Visit((int)response.StatusCode, response.Headers.RetryAfter is not null, await response.Content.ReadAsStringAsync(), asked, TimeProvider.System.GetTimestamp());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new Visit(0, false, exception.GetBaseException().Message, asked, TimeProvider.System.GetTimestamp());
        }
    }
}

/// <param name="Status">0: the connection broke.</param>
/// <param name="SaysWhenToComeBack">There is a Retry-After.</param>
/// <param name="Text">The page, or what broke.</param>
/// <param name="Asked">A timestamp.</param>
/// <param name="Answered">Another one.</param>
internal sealed record Visit(int Status, bool SaysWhenToComeBack, string Text, long Asked, long Answered);
