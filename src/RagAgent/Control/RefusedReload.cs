using RagAgent.Supervision;

namespace RagAgent.Control;

/// <summary>Why the configuration file, as it was last read, is not the one in use. One for the whole life of the process.</summary>
internal sealed class RefusedReload
{
    private volatile Problem? _problem;

    /// <summary>Null: it is in use.</summary>
    public Problem? Problem => _problem;

    /// <summary>Called after <see cref="Problem"/> has changed. It must not block.</summary>
    public event Action? Changed;

    public void Tell(Problem? problem)
    {
        _problem = problem;
        Changed?.Invoke();
    }
}
