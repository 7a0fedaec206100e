using System.Runtime.InteropServices;

namespace RagAgent.Cli;

/// <summary>SIGTERM and Ctrl-C cancel the command. A second signal kills the process.</summary>
/// <remarks>
/// Replaces the handling of the command line library, which kills the process if the signal arrives before the first await of a command,
/// without any cleanup. systemd limits how long the service may take to stop.
/// </remarks>
internal sealed class SignalHandling : IDisposable
{
    private readonly CancellationTokenSource _requested = new();
    private readonly PosixSignalRegistration[] _signals;

    public SignalHandling() => _signals =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
    ];

    /// <summary>Fires on the first signal.</summary>
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
