using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>SIGTERM and Ctrl-C end what goes on in good order; a second one ends the process as it is.</summary>
/// <remarks>
/// In the place of the command line library's own handling, which ends the process at once when the signal comes before a command has reached its
/// first wait: what it began by then is left behind. How long a service may take to end is systemd's limit to set.
/// </remarks>
internal sealed class SignalHandling : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly PosixSignalRegistration[] _signals;

    public SignalHandling() => _signals = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];

    /// <summary>Fires at the first signal.</summary>
    public CancellationToken Token => _requested.Token;

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = !_requested.IsCancellationRequested;
        _requested.Cancel();
    }
}
