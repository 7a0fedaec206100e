using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>A failure that counted against an image.</summary>
/// <param name="At">When.</param>
/// <param name="Before">The verdict before.</param>
/// <param name="After">The verdict after.</param>
internal sealed record Strike(Moment At, Verdict? Before, Verdict? After);
