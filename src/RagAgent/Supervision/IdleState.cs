namespace RagAgent.Supervision;

/// <summary>What is known of the instance's use. Nothing of it outlives the agent: its start counts as activity.</summary>
/// <param name="LastActivity">When a visitor or an operator last did something; at first the agent's start.</param>
/// <param name="FirstServed">When the app first served in this life of the agent; null: it has not yet.</param>
/// <param name="QuietNotice">When it was told that nobody comes; null: it is not so, or somebody has come since.</param>
/// <param name="UptimeNotice">When it was told that the machine has been up for too long.</param>
internal sealed record IdleState(Moment LastActivity, Moment? FirstServed = null, Moment? QuietNotice = null, Moment? UptimeNotice = null);

/// <summary>EC2 stops the instance.</summary>
/// <param name="InstanceId">As EC2 knows it.</param>
/// <param name="At">When EC2 said so.</param>
internal sealed record Acceptance(string InstanceId, Moment At);
