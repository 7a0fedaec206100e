using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

internal sealed record Step(AgentState State, ImmutableArray<Effect> Effects);
