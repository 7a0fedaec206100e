using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>A request that an operator is waiting for.</summary>
/// <param name="Id">Increases. A later request joins or replaces the current one.</param>
/// <param name="Kind">What the operator wants.</param>
/// <param name="RequestedAt">Only what is learned after this counts.</param>
/// <param name="PreviousRelease">The release that served at that moment; null when none did.</param>
internal sealed record OperatorRequest(long Id, RequestKind Kind, Moment RequestedAt, string? PreviousRelease)
{
    /// <summary>A rollback runs an image on disk with the secrets in memory: neither the tag nor fresh secrets decide it.</summary>
    public bool NeedsNothingNew => Kind == RequestKind.Rollback;
}
