using System.Net.WebSockets;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Health;

/// <summary>Asks the app from outside, over its loopback port: nothing is needed inside the image.</summary>
internal sealed class HttpProber : IProber, IDisposable
{
    private readonly HealthConfig _health;
    private readonly TimeProvider _time;

    // A fresh connection each time: that the app still accepts is part of the question. Never by a proxy.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public HttpProber(AgentConfig config, TimeProvider time)
    {
        _health = config.Health;
        _time = time;
    }

    public async Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, CancellationToken stopping) =>
        await FindFaultAsync(kind, container, stopping) is { } fault ? new ProbeResult.Failed(fault, UnderPressure: false) : new ProbeResult.Passed();

    private async Task<string?> FindFaultAsync(ProbeKind kind, Container container, CancellationToken stopping)
    {
        if (container.HostPort is not { } port)
        {
            return "the engine has published no port for it";
        }
        return kind switch
        {
            ProbeKind.Startup => await GetAsync(port, _health.Startup.Path, _health.Startup.Timeout, stopping),
            ProbeKind.Liveness => await GetAsync(port, _health.Liveness.Path, _health.Liveness.Timeout, stopping),
            ProbeKind.Gate => await GateAsync(port, stopping),
            _ => throw new InvalidOperationException($"No one probes for {kind}."),
        };
    }

    public void Dispose() => _http.Dispose();

    private async Task<string?> GateAsync(int port, CancellationToken stopping)
    {
        var patience = _health.Startup.Timeout;
        if (_health.Gate.Path is { } path && await GetAsync(port, path, patience, stopping) is { } fault)
        {
            return fault;
        }
        return _health.Gate.WebSocket is { } socket ? await HandshakeAsync(port, socket, patience, stopping) : null;
    }

    private Task<string?> GetAsync(int port, string path, TimeSpan patience, CancellationToken stopping) =>
        WithinAsync(path, patience, async token =>
        {
            using var response = await _http.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"), HttpCompletionOption.ResponseHeadersRead, token);
            return response.IsSuccessStatusCode ? null : $"{path} answered {(int)response.StatusCode}";
        }, stopping);

    /// <summary>A handshake as a browser makes it through the front door: with an Origin that equals the Host.</summary>
    private Task<string?> HandshakeAsync(int port, string path, TimeSpan patience, CancellationToken stopping) =>
        WithinAsync(path, patience, async token =>
        {
            using var socket = new ClientWebSocket();
            socket.Options.Proxy = null;
            socket.Options.AddSubProtocol("streamlit");
            socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{port}");
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}{path}"), token);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, token);
            return null;
        }, stopping);

    private async Task<string?> WithinAsync(string path, TimeSpan patience, Func<CancellationToken, Task<string?>> ask, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        try
        {
            return await ask(either.Token);
        }
        catch (Exception) when (timeout.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            return $"{path} did not answer within {Words.Span(patience)}";
        }
        catch (WebSocketException e)
        {
            return $"{path} refused a WebSocket: {Problems.Cause(e)}";
        }
        catch (HttpRequestException e)
        {
            return $"{path} did not answer: {Problems.Cause(e)}";
        }
    }
}
