using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>The sessions that the gate ran in one container and that failed in a row.</summary>
/// <param name="Count">How many.</param>
/// <param name="FirstAt">When the first one ended.</param>
/// <param name="Error">How the last one failed. Scrubbed and safe to show.</param>
/// <param name="IsFinal">The image lacks something: another session would fail in the same way.</param>
internal sealed record SessionFailure(int Count, Moment FirstAt, string Error, bool IsFinal);
