using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>SIGTERM and Ctrl-C end what goes on in good order; a second one ends the process as it is.</summary>
/// <remarks>
/// In the place of the command line library's own handling, which ends the process at once when the signal comes before a command has reached its
/// first wait: what it began by then is left behind. How long a service may take to end is systemd's limit to set.
/// </remarks>
internal sealed class Termination : IDisposable
{
    private readonly CancellationTokenSource _asked = new();
    private readonly PosixSignalRegistration[] _signals;

    public Termination() => _signals = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT }.Select(signal => PosixSignalRegistration.Create(signal, Ask))];

    /// <summary>Fires at the first signal.</summary>
    public CancellationToken Token => _asked.Token;

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void Ask(PosixSignalContext signal)
    {
        signal.Cancel = !_asked.IsCancellationRequested;
        _asked.Cancel();
    }
}
