using System.Text.Json;
using RagAgent.Common;
using RagAgent.Supervision.Runtime;

namespace RagAgent.Control;

/// <summary>Queries the control socket as an operator would.</summary>
internal sealed class ControlSocketHeartbeat(ControlSocketLock controlSocket, TimeProvider time) : IHeartbeat, IDisposable
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(1);

    private readonly ControlClient _client = new(controlSocket.Directory);

    public string Name => "control socket";

    public async Task BeatAsync(CancellationToken stopping)
    {
        while (true)
        {
            try
            {
                await _client.StatusAsync(after: null, stopping);
                return;
            }
            catch (Exception exception) when (exception is
                ProblemException or HttpRequestException or IOException or JsonException)
            {
                // No heartbeat; an answer that was cut off doesn't count either.
                // The server may still be starting. If it never answers, the watchdog acts.
                await Task.Delay(RetryDelay, time, stopping);
            }
        }
    }

    public void Dispose() => _client.Dispose();
}
