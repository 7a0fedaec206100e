using System.Net.Sockets;
using Docker.DotNet;
using RagAgent.Common;

namespace RagAgent.Containers.AppLogs;

/// <summary>Opens a container's log as the engine's raw stream, which <see cref="LogFrameReader"/> parses.</summary>
internal sealed class EngineLogClient : IDisposable
{
    private readonly EngineConnection _connection;
    private readonly HttpClient _http;

    public EngineLogClient(EngineConnection connection)
    {
        _connection = connection;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectCallback = (_, stopping) => ConnectAsync(stopping),
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://docker/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Opens both streams with timestamps and follows them. The stream ends when the container or the engine does.</summary>
    /// <param name="id">The container's ID.</param>
    /// <param name="since">The earliest timestamp, in nanoseconds since 1970.</param>
    /// <param name="stopping">Cancels the call.</param>
    /// <exception cref="ProblemException">
    /// The engine can't be reached, or has no such container (<see cref="EngineProblems.IsNotFound"/>).
    /// </exception>
    public Task<Stream> OpenAsync(string id, long since, CancellationToken stopping) =>
        _connection.CallAsync("read the container's output", Timeout.InfiniteTimeSpan, async (docker, token) =>
        {
            var query = $"follow=true&stdout=true&stderr=true&timestamps=true&since={LogTimestamp.ToSinceParameter(since)}";
            var path = new Uri($"v{docker.Options.ApiVersion}/containers/{id}/logs?{query}", UriKind.Relative);
            var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, token);
            if (!response.IsSuccessStatusCode)
            {
                using (response)
                {
                    throw new DockerApiException(response.StatusCode, await response.Content.ReadAsStringAsync(token));
                }
            }
            return await response.Content.ReadAsStreamAsync(token);   // the caller disposes it, and the connection with it
        }, stopping);

    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> ConnectAsync(CancellationToken stopping)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(_connection.Socket), stopping);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
