using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Runtime;

/// <summary>Reports what the supervision does, for example to the log.</summary>
internal interface IStateObserver
{
    /// <summary>Called after each event, on the supervision's own loop, before the new state is published.</summary>
    void Changed(AgentState before, AgentState after, Event @event);

    /// <summary>The agent stops before a start that is in progress has finished.</summary>
    void StartAbandoned();
}
