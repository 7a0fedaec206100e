using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>The state file.</summary>
internal interface IStateStore
{
    /// <returns>
    /// What was saved last; null when there is nothing or it can't be read. Then the containers' labels have to do.
    /// </returns>
    PersistedState? Load();

    /// <summary>Replaces what was saved before, completely or not at all.</summary>
    Task SaveAsync(PersistedState memory, CancellationToken stopping);
}
