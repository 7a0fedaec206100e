using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>How a request ended.</summary>
/// <param name="Id">The newest request that this answers.</param>
/// <param name="Kind">What the operator wanted.</param>
/// <param name="Changed">Another release serves than before.</param>
/// <param name="Digest">The image that serves; null when the request failed or the app is stopped.</param>
/// <param name="Problem">Why it failed; null when it succeeded. The agent keeps trying.</param>
internal sealed record RequestOutcome(long Id, RequestKind Kind, bool Changed, string? Digest, Problem? Problem);
