using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>What is known of the instance's use. Nothing of it outlives the agent: its start counts as activity.</summary>
/// <param name="LastActivity">When a visitor or an operator last did something; at first the agent's start.</param>
/// <param name="FirstServedAt">When the app first served in this life of the agent; null: it has not yet.</param>
/// <param name="IdleNoticeAt">When it was told that nobody comes; null: it is not so, or somebody has come since.</param>
/// <param name="UptimeNoticeAt">When it was told that the machine has been up for too long.</param>
internal sealed record IdleState(Moment LastActivity, Moment? FirstServedAt = null, Moment? IdleNoticeAt = null, Moment? UptimeNoticeAt = null);
