using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <param name="NextAt">When the next probe is due.</param>
/// <param name="InFlight">The number of the probe that is under way; null when none is. News of any other is dropped.</param>
internal readonly record struct ProbeSchedule(Moment NextAt, long? InFlight);
