using System.Net.Sockets;
using RagAgent.Common;
using RagAgent.Reporting;

namespace RagAgent.Control;

/// <summary>Talks to the agent that runs.</summary>
internal sealed class ControlClient : IDisposable
{
    private readonly string _socketPath;
    private readonly HttpClient _http;
    private bool _hasAnswered;

    public ControlClient(string runtimeDirectory)
    {
        _socketPath = RuntimeDirectory.SocketPath(runtimeDirectory);
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, stopping) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socketPath), stopping);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new Uri("http://ragagent/"),
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    /// <param name="after">Wait until the revision is another one (at most some 25 s); null: answer at once.</param>
    /// <param name="stopping">Ends the wait.</param>
    /// <exception cref="ProblemException">No agent answers.</exception>
    /// <exception cref="HttpRequestException">The agent ended: it answered this client before, or was about to.</exception>
    public Task<StatusDocument> StatusAsync(long? after, CancellationToken stopping) => SendAsync(async () =>
        await _http.GetFromJsonAsync(after is null ? "v1/status" : $"v1/status?after={after}", ControlJson.Default.StatusDocument, stopping));

    /// <summary>Begins what an operator wants, or joins the same that is under way.</summary>
    /// <param name="request"><c>update</c>, <c>rollback</c>, <c>unquarantine</c>, <c>stop</c> or <c>start</c>.</param>
    /// <param name="stopping">Ends the call.</param>
    public Task<UpdateAccepted> RequestAsync(string request, CancellationToken stopping) => SendAsync(async () =>
    {
        using var response = await _http.PostAsync($"v1/{request}", null, stopping);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync(ControlJson.Default.UpdateAccepted, stopping);
    });

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(Func<Task<T?>> send)
    {
        try
        {
            var answer = await send() ?? throw new HttpRequestException("The agent sent nothing.");
            _hasAnswered = true;
            return answer;
        }
        catch (HttpRequestException exception) when ((exception.GetBaseException() as SocketException)?.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new ProblemException(new Problem(ProblemCatalog.ControlDenied, $"The agent may not be asked by this user: its control socket {_socketPath} is for root and the group 'ragagent'.",
                "Use sudo, or have this user put into the group: 'sudo usermod -aG ragagent NAME', then log in again."), exception);
        }
        catch (TaskCanceledException exception) when (exception.InnerException is TimeoutException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.NotRunning, $"The agent accepts calls on {_socketPath} but does not answer them.",
                "See 'journalctl -u ragagent'; 'systemctl restart ragagent' leaves the app running."), exception);
        }
        catch (HttpRequestException exception) when (exception.GetBaseException() is SocketException && !_hasAnswered)   // who answered before did run: it has ended since
        {
            throw new ProblemException(new Problem(ProblemCatalog.NotRunning, $"No agent runs here: nobody answers on {_socketPath}.",
                "Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it does not stay."), exception);
        }
        catch (IOException exception)   // in the middle of its answer; a caller's own failures to write are of the same type, and no news of the agent
        {
            throw new HttpRequestException("The agent's answer was cut.", exception);
        }
    }
}
