using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>What the agent remembers of its life before: the state file.</summary>
internal interface IStateStore
{
    /// <returns>What was written last; null when there is nothing or it can't be read: it is then rebuilt from the containers' labels.</returns>
    PersistedState? Load();

    /// <summary>Replaces what was written before, whole or not at all.</summary>
    Task SaveAsync(PersistedState memory, CancellationToken stopping);
}
