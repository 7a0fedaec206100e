using System.Net.WebSockets;
using RagAgent.Common;
using RagAgent.Configuration;
using RagAgent.Health.Sessions;
using RagAgent.Secrets;
using RagAgent.Streamlit;
using RagAgent.Supervision.Runtime;
using RagAgent.Supervision.State;

namespace RagAgent.Health;

/// <summary>Probes the app from outside, through its port on loopback. The image needs no tools for that.</summary>
internal sealed class HttpProber : IProber, IDisposable
{
    // If a timeout fires later than this, the agent itself was not running, so nothing is known about the app.
    private static readonly TimeSpan StallThreshold = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private const int MaxErrorLength = 300;

    private readonly HealthConfig _health;
    private readonly SessionProbe _sessions;
    private readonly SecretVault _vault;
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

    public HttpProber(AgentConfig config, SessionProbe sessions, SecretVault vault, TimeProvider time, Pressure pressure)
    {
        _health = config.Health;
        _sessions = sessions;
        _vault = vault;
        _time = time;
        _pressure = pressure;
    }

    public async Task<ProbeResult> ProbeAsync(ProbeKind kind, Container container, TimeSpan? sessionLimit, CancellationToken stopping)
    {
        try
        {
            if (container.HostPort is not { } port)
            {
                return Failed(new Fault("the engine published no port for it"));
            }
            return kind switch
            {
                ProbeKind.Startup => PassedUnless(await CheckGetAsync(port, _health.Startup.Path, _health.Startup.Timeout, stopping)),
                ProbeKind.Liveness => PassedUnless(await CheckGetAsync(port, _health.Liveness.Path, _health.Liveness.Timeout, stopping)),
                ProbeKind.Gate => await CheckGateAsync(port, container, sessionLimit, stopping),
                _ => throw new InvalidOperationException($"Unknown probe kind {kind}."),
            };
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

    private ProbeResult PassedUnless(Fault? fault) => fault is null ? new ProbeResult.Passed() : Failed(fault);

    private ProbeResult.Failed Failed(Fault fault)
    {
        var shortage = _pressure.FindShortage();
        var message = fault.IsTimeout && shortage is not null ? $"{fault.Message} while the machine is short of {shortage}" : fault.Message;
        return new ProbeResult.Failed(message, UnderPressure: shortage is not null) { HttpStatus = fault.HttpStatus };
    }

    public void Dispose() => _http.Dispose();

    private async Task<ProbeResult> CheckGateAsync(int port, Container container, TimeSpan? sessionLimit, CancellationToken stopping)
    {
        if (_health.Gate.Path is { } path && await CheckGetAsync(port, path, _health.Gate.Timeout, stopping) is { } fault)
        {
            return Failed(fault);
        }
        if (_health.Gate.WebSocket is not { } socketPath)
        {
            return new ProbeResult.Passed();
        }
        using var socket = CreateSocket(port);
        if (await ConnectAsync(socket, port, socketPath, stopping) is { } refusal)
        {
            return Failed(refusal);
        }
        var speaksStreamlit = socket.SubProtocol == StreamlitProtocol.SubProtocol;
        var result = sessionLimit is { } limit && (speaksStreamlit || _health.Gate.Session == true)
            ? ToResult(await _sessions.RunAsync(socket, container.Id, limit, stopping), limit)
            : new ProbeResult.Passed { Session = sessionLimit is null ? SessionReading.NotRun : SessionReading.Unreadable };
        await CloseAsync(socket, stopping);
        return result;
    }

    private ProbeResult ToResult(SessionVerdict verdict, TimeSpan limit) => verdict switch
    {
        SessionVerdict.Works => new ProbeResult.Passed { Session = SessionReading.Works },
        SessionVerdict.Unreadable => new ProbeResult.Passed { Session = SessionReading.Unreadable },
        // A machine that is short of something makes every app slow.
        SessionVerdict.Silent => new ProbeResult.SessionFailed(
            $"it shows nothing within {Humanize.Duration(limit)}", IsFinal: _pressure.FindShortage() is null),
        SessionVerdict.Broken broken => new ProbeResult.SessionFailed(Describe(broken.Error), broken.IsFinal)
        {
            IsOfTheImage = broken.IsOfTheImage,
        },
        _ => throw new InvalidOperationException($"Unknown verdict {verdict}."),
    };

    /// <summary>Scrubs before it cuts: a part of a secret would not be recognized.</summary>
    private string Describe(string error) => UntrustedText.ToLine(_vault.Scrub(error), MaxErrorLength).TrimEnd('.');

    private Task<Fault?> CheckGetAsync(int port, string path, TimeSpan timeLimit, CancellationToken stopping) =>
        WithTimeLimitAsync(path, timeLimit, async token =>
        {
            var uri = new Uri($"http://127.0.0.1:{port}{path}");
            using var response = await _http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, token);
            return response.IsSuccessStatusCode ? null : new Fault($"{path} answered {(int)response.StatusCode}") { HttpStatus = (int)response.StatusCode };
        }, stopping);

    /// <summary>For a handshake like a browser's through the front door, with an Origin that matches the Host.</summary>
    private static ClientWebSocket CreateSocket(int port)
    {
        var socket = new ClientWebSocket();
        socket.Options.Proxy = null;
        socket.Options.AddSubProtocol(StreamlitProtocol.SubProtocol);
        socket.Options.SetRequestHeader("Origin", $"http://127.0.0.1:{port}");
        return socket;
    }

    private Task<Fault?> ConnectAsync(ClientWebSocket socket, int port, string path, CancellationToken stopping) =>
        WithTimeLimitAsync(path, _health.Startup.Timeout, async token =>
        {
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}{path}"), token);
            return null;
        }, stopping);

    /// <summary>Says goodbye, if the app still listens. Its answer is not waited for.</summary>
    private async Task CloseAsync(ClientWebSocket socket, CancellationToken stopping)
    {
        using var timeout = new LinkedTimeout(CloseTimeout, _time, stopping);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, timeout.Token);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or IOException or OperationCanceledException)
        {
            return;   // the verdict is known, whether or not the app takes notice
        }
    }

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
