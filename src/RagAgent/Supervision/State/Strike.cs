using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The last thing that was held against an image.</summary>
/// <param name="At">When.</param>
/// <param name="Before">What was known of it then.</param>
/// <param name="After">What followed.</param>
internal sealed record Strike(Moment At, Verdict? Before, Verdict? After);
