using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <param name="NextAt">When the next probe is due.</param>
/// <param name="InFlight">The operation number of the probe in flight; null when there is none. Results of any other are ignored.</param>
internal readonly record struct ProbeSchedule(Moment NextAt, long? InFlight);
