using System.Net.WebSockets;
using RagAgent.Configuration;
using RagAgent.Diagnostics;
using RagAgent.Supervision;

namespace RagAgent.Health;

/// <summary>Asks the app from outside, over its loopback port: nothing is needed inside the image.</summary>
internal sealed class HttpProber : IProber, IDisposable
{
    /// <summary>A timer that fires so much later than it was set for tells that the agent did not run, and that nobody waited for the app.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(1);

    private readonly HealthConfig _health;
    private readonly TimeProvider _time;
    private readonly Pressure _pressure;

    // A fresh connection each time: that the app still accepts is part of the question. Never by a proxy.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.Zero, UseCookies = false })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public HttpProber(AgentConfig config, TimeProvider time, Pressure pressure)
    {
        _health = config.Health;
        _time = time;
        _pressure = pressure;
    }

    public async Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, CancellationToken stopping)
    {
        try
        {
            return await FindFaultAsync(kind, container, stopping) is { } fault ? Failed(fault) : new ProbeResult.Passed();
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
        catch (NotAskedException e)
        {
            return new ProbeResult.NotAsked(e.Message);
        }
        catch (Exception e)
        {
            return new ProbeResult.NotAsked(OwnLack.In(e) ?? Problems.From(e).What.TrimEnd('.'));
        }
    }

    private ProbeResult.Failed Failed(Fault fault)
    {
        var shortOf = _pressure.Shortage();
        var words = fault.IsSlowness && shortOf is not null ? $"{fault.Words} while the machine is short of {shortOf}" : fault.Words;
        return new ProbeResult.Failed(words, UnderPressure: shortOf is not null);
    }

    private async Task<Fault?> FindFaultAsync(ProbeKind kind, Container container, CancellationToken stopping)
    {
        if (container.HostPort is not { } port)
        {
            return new Fault("the engine has published no port for it");
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

    private async Task<Fault?> GateAsync(int port, CancellationToken stopping)
    {
        var patience = _health.Startup.Timeout;
        if (_health.Gate.Path is { } path && await GetAsync(port, path, patience, stopping) is { } fault)
        {
            return fault;
        }
        return _health.Gate.WebSocket is { } socket ? await HandshakeAsync(port, socket, patience, stopping) : null;
    }

    private Task<Fault?> GetAsync(int port, string path, TimeSpan patience, CancellationToken stopping) =>
        WithinAsync(path, patience, async token =>
        {
            using var response = await _http.GetAsync(new Uri($"http://127.0.0.1:{port}{path}"), HttpCompletionOption.ResponseHeadersRead, token);
            return response.IsSuccessStatusCode ? null : new Fault($"{path} answered {(int)response.StatusCode}");
        }, stopping);

    /// <summary>A handshake as a browser makes it through the front door: with an Origin that equals the Host.</summary>
    private Task<Fault?> HandshakeAsync(int port, string path, TimeSpan patience, CancellationToken stopping) =>
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

    private async Task<Fault?> WithinAsync(string path, TimeSpan patience, Func<CancellationToken, Task<Fault?>> ask, CancellationToken stopping)
    {
        using var timeout = new CancellationTokenSource(patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, timeout.Token);
        var asked = _time.GetTimestamp();
        try
        {
            return await ask(either.Token);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested && OwnLack.In(e) is { } lack)
        {
            throw new NotAskedException(lack, e);
        }
        catch (Exception e) when (timeout.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            var late = _time.GetElapsedTime(asked) - patience;
            return late > Late
                ? throw new NotAskedException($"the agent itself did not run for {Words.Span(late)}", e)
                : new Fault($"{path} did not answer within {Words.Span(patience)}", IsSlowness: true);
        }
        catch (WebSocketException e)
        {
            return new Fault($"{path} refused a WebSocket: {Problems.Cause(e)}");
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            return new Fault($"{path} got no answer: the app closed the connection");
        }
        catch (HttpRequestException e)
        {
            return new Fault($"{path} did not answer: {Problems.Cause(e)}");
        }
    }

    /// <param name="Words">Few.</param>
    /// <param name="IsSlowness">The time was over: what a machine that is short of something would explain.</param>
    private sealed record Fault(string Words, bool IsSlowness = false);

    /// <summary>The message is what a probe that was not made tells.</summary>
    private sealed class NotAskedException(string fault, Exception inner) : Exception(fault, inner);
}
