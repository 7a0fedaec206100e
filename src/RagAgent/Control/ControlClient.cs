using System.Net.Sockets;
using RagAgent.Common;
using RagAgent.Reporting;

namespace RagAgent.Control;

/// <summary>Queries the running agent through its control socket.</summary>
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

    /// <param name="after">Wait until the revision differs from this one (about 25 s at most); null: answer at once.</param>
    /// <param name="stopping">Cancels the wait.</param>
    /// <exception cref="ProblemException">No agent answers.</exception>
    /// <exception cref="HttpRequestException">The agent exited after it had answered this client before, or during its answer.</exception>
    public Task<StatusDocument> StatusAsync(long? after, CancellationToken stopping) => SendAsync(async () =>
    {
        var path = after is null ? "v1/status" : $"v1/status?after={after}";
        return await _http.GetFromJsonAsync(path, ControlJson.Default.StatusDocument, stopping);
    });

    /// <summary>Starts an operator's request, or joins the same request if it is already in progress.</summary>
    /// <param name="request"><c>update</c>, <c>rollback</c>, <c>unquarantine</c>, <c>stop</c> or <c>start</c>.</param>
    /// <param name="stopping">Cancels the call.</param>
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
            var answer = await send() ?? throw new HttpRequestException("The agent sent an empty answer.");
            _hasAnswered = true;
            return answer;
        }
        catch (HttpRequestException exception)
            when (exception.GetBaseException() is SocketException { SocketErrorCode: SocketError.AccessDenied })
        {
            throw new ProblemException(new Problem(ProblemCatalog.ControlDenied,
                $"This user may not query the agent: its control socket {_socketPath} is for root and the group '{ServiceAccount.Name}'.",
                $"Use sudo, or add this user to the group with 'sudo usermod -aG {ServiceAccount.Name} NAME' and log in again."),
                exception);
        }
        catch (TaskCanceledException exception) when (exception.InnerException is TimeoutException)
        {
            throw new ProblemException(new Problem(ProblemCatalog.NotRunning,
                $"The agent accepts connections on {_socketPath} but does not answer.",
                "See 'journalctl -u ragagent'; 'systemctl restart ragagent' leaves the app running."), exception);
        }
        // An agent that answered before was running and has exited since: that is not this problem.
        catch (HttpRequestException exception) when (exception.GetBaseException() is SocketException && !_hasAnswered)
        {
            throw new ProblemException(new Problem(ProblemCatalog.NotRunning,
                $"No agent is running here: nothing answers on {_socketPath}.",
                "Start it with 'systemctl start ragagent', and see 'journalctl -u ragagent' if it stops again."), exception);
        }
        // Wrapped, because the callers' own output failures are IOExceptions too.
        catch (IOException exception)
        {
            throw new HttpRequestException("The agent's answer was cut off.", exception);
        }
    }
}
