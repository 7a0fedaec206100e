using System.Collections.Concurrent;

namespace RagAgent.IntegrationTests.Support;

/// <summary>A number of clients, each of which sends its next request as soon as the previous one is answered.</summary>
internal sealed class ClientLoad : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly ConcurrentQueue<ClientRequest> _requests = new();
    private readonly Task _all;

    public ClientLoad(Uri address, int number) =>
        _all = Task.WhenAll(Enumerable.Range(0, number).Select(_ => RequestRepeatedlyAsync(address)));

    /// <summary>The requests that have ended so far, in order.</summary>
    public IReadOnlyCollection<ClientRequest> Requests => _requests;

    /// <summary>Stops the clients and returns all requests once the last one is answered.</summary>
    public async Task<IReadOnlyCollection<ClientRequest>> EndAsync()
    {
        await _end.CancelAsync();
        await _all;
        return _requests;
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _http.Dispose();
        _end.Dispose();
    }

    private async Task RequestRepeatedlyAsync(Uri address)
    {
        await Task.Yield();
        while (!_end.IsCancellationRequested)
        {
            _requests.Enqueue(await RequestAsync(address));
        }
    }

    private async Task<ClientRequest> RequestAsync(Uri address)
    {
        var sentAt = TimeProvider.System.GetTimestamp();
        try
        {
            using var response = await _http.GetAsync(address);
            return new ClientRequest(
                (int)response.StatusCode,
                response.Headers.RetryAfter is not null,
                await response.Content.ReadAsStringAsync(),
                sentAt,
                TimeProvider.System.GetTimestamp());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            return new ClientRequest(0, false, exception.GetBaseException().Message, sentAt, TimeProvider.System.GetTimestamp());
        }
    }
}
