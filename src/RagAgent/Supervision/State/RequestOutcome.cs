using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <param name="Id">The newest request that this answers.</param>
/// <param name="Kind">What was wanted.</param>
/// <param name="Changed">Another release serves than before.</param>
/// <param name="Digest">What serves; null when it failed or the app is stopped.</param>
/// <param name="Problem">Why it failed; null when it did not. The agent goes on trying.</param>
internal sealed record RequestOutcome(long Id, RequestKind Kind, bool Changed, string? Digest, Problem? Problem);
