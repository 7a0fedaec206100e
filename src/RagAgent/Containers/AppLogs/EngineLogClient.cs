using System.Net.Sockets;
using Docker.DotNet;
using RagAgent.Common;

namespace RagAgent.Containers.AppLogs;

/// <summary>Opens a container's log as the engine sends it: <see cref="LogFrameReader"/> takes it apart.</summary>
internal sealed class EngineLogClient : IDisposable
{
    private readonly EngineConnection _connection;
    private readonly HttpClient _http;

    public EngineLogClient(EngineConnection connection)
    {
        _connection = connection;
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectCallback = (_, stopping) => ConnectAsync(stopping) };
        _http = new HttpClient(handler) { BaseAddress = new Uri("http://docker/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Both streams with times, and then what comes. The stream ends with the container's run, or with the engine.</summary>
    /// <param name="id">The container's.</param>
    /// <param name="since">The earliest time, in nanoseconds.</param>
    /// <param name="stopping">The caller's own end.</param>
    /// <exception cref="ProblemException">The engine is out of reach, or has no such container (<see cref="EngineProblems.IsNotFound"/>).</exception>
    public Task<Stream> OpenAsync(string id, long since, CancellationToken stopping) =>
        _connection.CallAsync("show the container's output", Timeout.InfiniteTimeSpan, async (docker, token) =>
        {
            var path = new Uri($"v{docker.Options.ApiVersion}/containers/{id}/logs?follow=true&stdout=true&stderr=true&timestamps=true&since={LogTimestamp.ToSinceParameter(since)}",
                UriKind.Relative);
            var response = await _http.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, token);
            if (!response.IsSuccessStatusCode)
            {
                using (response)
                {
                    throw new DockerApiException(response.StatusCode, await response.Content.ReadAsStringAsync(token));
                }
            }
            return await response.Content.ReadAsStreamAsync(token);   // disposed by the caller, and the answer's connection with it
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
