using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>
/// When nothing has answered the startup probe for a while, looks at what the container listens on. A wrong port is the usual cause, and
/// without a word about it the operator only learns at the startup deadline that something is wrong.
/// </summary>
internal static class PortInspection
{
    private static readonly Slot[] Slots = [Slot.Front, Slot.Candidate];

    /// <summary>The probe of a container has ended.</summary>
    /// <param name="before">The state before.</param>
    /// <param name="after">The state in which the result has been applied.</param>
    /// <param name="probed">The result.</param>
    /// <param name="policy">The policy.</param>
    public static AgentState Note(AgentState before, AgentState after, Event.Probed probed, Policy policy)
    {
        foreach (var slot in Slots)
        {
            if (before.At(slot) is ContainerState.Probing { Stage: ProbeKind.Startup, Probe.InFlight: { } number } &&
                number == probed.Operation && after.At(slot) is ContainerState.Probing probing)
            {
                var ports = probed.Result switch
                {
                    ProbeResult.NotSent => probing.Ports,
                    ProbeResult.Failed { HttpStatus: null } => Unanswered(probing, after.Now, policy),
                    _ => PortSearch.NotNeeded,
                };
                return ports == probing.Ports ? after : after.With(slot, probing with { Ports = ports });
            }
        }
        return after;
    }

    public static AgentState Inspected(AgentState state, Event.PortsInspected inspected)
    {
        foreach (var slot in Slots)
        {
            if (state.At(slot) is ContainerState.Probing { Ports: { } search } probing && search.Operation == inspected.Operation)
            {
                return state.With(slot, probing with { Ports = search with { Found = inspected.Ports } });
            }
        }
        return state;
    }

    public static AgentState Plan(AgentState state, ImmutableArray<Effect>.Builder effects)
    {
        foreach (var slot in Slots)
        {
            if (state.At(slot) is ContainerState.Probing { Ports: { Operation: OperationNumber.NotDispatched } search } probing)
            {
                var number = state.LastOperation + 1;
                state = (state with { LastOperation = number }).With(slot, probing with { Ports = search with { Operation = number } });
                effects.Add(new Effect.InspectPorts(number, probing.Container));
            }
        }
        return state;
    }

    /// <summary>Once, and again as long as it listens on nothing: it may still be loading.</summary>
    private static PortSearch? Unanswered(ContainerState.Probing probing, Moment now, Policy policy) => probing.Ports switch
    {
        null => now >= probing.Since + policy.PortsAfter ? new PortSearch(OperationNumber.NotDispatched, now, null) : null,
        { Found.Listening: [] } search when now >= search.At + policy.PortsAfter =>
            search with { Operation = OperationNumber.NotDispatched, At = now },
        var search => search,
    };
}
