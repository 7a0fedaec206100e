using RagAgent.Common;

namespace RagAgent.Supervision.State;

/// <summary>When the instance was used. It does not outlive the agent, whose start counts as activity.</summary>
/// <param name="LastActivity">When a client or an operator was last active; at first the start of the agent.</param>
/// <param name="FirstServedAt">When the app first served since the agent started; null: not yet.</param>
/// <param name="IdleNoticeAt">When the idle notice was given; null: none, or revoked by activity.</param>
/// <param name="UptimeNoticeAt">When the uptime notice was given; null: none.</param>
internal sealed record IdleState(
    Moment LastActivity,
    Moment? FirstServedAt = null,
    Moment? IdleNoticeAt = null,
    Moment? UptimeNoticeAt = null);
