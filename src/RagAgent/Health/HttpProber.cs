using System.Net.WebSockets;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Health;

/// <summary>Probes the app from outside, through its port on loopback. The image needs no tools for that.</summary>
internal sealed class HttpProber : IProber, IDisposable
{
    // If a timeout fires later than this, the agent itself was not running, so nothing is known about the app.
    private static readonly TimeSpan StallThreshold = TimeSpan.FromSeconds(1);

    private readonly HealthConfig _health;
    private readonly TimeProvider _time;
    private readonly Pressure _pressure;

    // A new connection each time: whether the app still accepts connections is part of the question.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        UseCookies = false,
    })
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
        catch (ProbeSkippedException exception)
        {
            return new ProbeResult.NotSent(exception.Message);
        }
        catch (Exception exception)
        {
            var cause = AgentResourceShortage.Find(exception) ?? ExceptionMapping.ToProblem(exception).What.TrimEnd('.');
            return new ProbeResult.NotSent(cause);
        }
    }

    private ProbeResult.Failed Failed(Fault fault)
    {
        var shortage = _pressure.FindShortage();
        var message = fault.IsTimeout && shortage is not null ? $"{fault.Message} while the machine is short of {shortage}" : fault.Message;
        return new ProbeResult.Failed(message, UnderPressure: shortage is not null) { HttpStatus = fault.HttpStatus };
    }

    private async Task<Fault?> FindFaultAsync(ProbeKind kind, Container container, CancellationToken stopping)
    {
        if (container.HostPort is not { } port)
        {
            return new Fault("the engine published no port for it");
        }
        return kind switch
        {
            ProbeKind.Startup => await CheckGetAsync(port, _health.Startup.Path, _health.Startup.Timeout, stopping),
            ProbeKind.Liveness => await CheckGetAsync(port, _health.Liveness.Path, _health.Liveness.Timeout, stopping),
            ProbeKind.Gate => await CheckGateAsync(port, stopping),
            _ => throw new InvalidOperationException($"Unknown probe kind {kind}."),
        };
    }

    public void Dispose() => _http.Dispose();

    private async Task<Fault?> CheckGateAsync(int port, CancellationToken stopping)
    {
        var timeLimit = _health.Startup.Timeout;
        if (_health.Gate.Path is { } path && await CheckGetAsync(port, path, timeLimit, stopping) is { } fault)
        {
            return fault;
        }
        return _health.Gate.WebSocket is { } socket ? await CheckWebSocketAsync(port, socket, timeLimit, stopping) : null;
    }

    private Task<Fault?> CheckGetAsync(int port, string path, TimeSpan timeLimit, CancellationToken stopping) =>
        WithTimeLimitAsync(path, timeLimit, async token =>
        {
            var uri = new Uri($"http://127.0.0.1:{port}{path}");
            using var response = await _http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, token);
            return response.IsSuccessStatusCode ? null : new Fault($"{path} answered {(int)response.StatusCode}") { HttpStatus = (int)response.StatusCode };
        }, stopping);

    /// <summary>A handshake like a browser's through the front door, with an Origin that matches the Host.</summary>
    private Task<Fault?> CheckWebSocketAsync(int port, string path, TimeSpan timeLimit, CancellationToken stopping) =>
        WithTimeLimitAsync(path, timeLimit, async token =>
        {
            using var socket = new ClientWebSocket();
            socket.Options.Proxy = null;
            socket.Options.AddSubProtocol("streamlit");
            socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{port}");
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}{path}"), token);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, token);
            return null;
        }, stopping);

    private async Task<Fault?> WithTimeLimitAsync(
        string path, TimeSpan timeLimit, Func<CancellationToken, Task<Fault?>> check, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(timeLimit, _time, stopping);
        var startedAt = _time.GetTimestamp();
        try
        {
            return await check(timeout.Token);
        }
        catch (Exception exception)
            when (!stopping.IsCancellationRequested && AgentResourceShortage.Find(exception) is { } shortage)
        {
            throw new ProbeSkippedException(shortage, exception);
        }
        catch (Exception exception) when (timeout.HasExpired && !stopping.IsCancellationRequested)
        {
            var overrun = _time.GetElapsedTime(startedAt) - timeLimit;
            return overrun > StallThreshold
                ? throw new ProbeSkippedException($"the agent itself did not run for {Humanize.Duration(overrun)}", exception)
                : new Fault($"{path} did not answer within {Humanize.Duration(timeLimit)}", IsTimeout: true);
        }
        catch (WebSocketException exception)
        {
            return new Fault($"{path} refused a WebSocket: {ExceptionMapping.DescribeCause(exception)}");
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            return new Fault($"{path} got no answer: the app closed the connection");
        }
        catch (HttpRequestException exception)
        {
            return new Fault($"{path} did not answer: {ExceptionMapping.DescribeCause(exception)}");
        }
    }

    /// <param name="Message">What is wrong, as a clause without a full stop.</param>
    /// <param name="IsTimeout">Whether the probe timed out, which a machine under pressure would explain.</param>
    private sealed record Fault(string Message, bool IsTimeout = false)
    {
        /// <summary>What the app answered with; null when it gave no HTTP answer.</summary>
        public int? HttpStatus { get; init; }
    }

    /// <summary>The probe was not sent or not evaluated. The message says why, without a full stop.</summary>
    private sealed class ProbeSkippedException(string reason, Exception inner) : Exception(reason, inner);
}
