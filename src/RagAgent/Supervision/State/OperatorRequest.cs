using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What somebody waits for.</summary>
/// <param name="Id">Counts up; a later request joins or replaces the one that is under way.</param>
/// <param name="Kind">What is wanted.</param>
/// <param name="RequestedAt">Only what is learned after this counts.</param>
/// <param name="PreviousRelease">The release that served when it was asked; null when none did.</param>
internal sealed record OperatorRequest(long Id, RequestKind Kind, Moment RequestedAt, string? PreviousRelease);
