namespace RagAgent.Supervision;

/// <summary>How far the newest image has come on its way to being the last good one. For people; nothing is decided by it.</summary>
internal static class RolloutPhase
{
    /// <returns>
    /// <c>resolve</c>, <c>pull</c>, <c>waiting</c> (for sessions to end), <c>candidate</c>, <c>gate</c>, <c>swap</c>, <c>watch</c>, <c>rolled-back</c>,
    /// <c>undecided</c>, <c>settled</c> (it is the last good one), or <c>none</c> (it can't be had, or nothing of it runs).
    /// </returns>
    public static string Of(AgentState s, Policy policy) => s switch
    {
        { Beside: App.Starting or App.BackingOff } => "candidate",
        { Beside: App.Probing { Stage: ProbeKind.Gate } } => "gate",
        { Beside: App.Probing } => "candidate",
        { Beside: App.Draining or App.Stopping { Reason: StopReason.Retired } } or { App: App.Stopping { Reason: StopReason.Replaced } } => "swap",
        { App: App.Probing { Adopted: false, Stage: ProbeKind.Gate } p } when IsOnTrial(s, p.Container.Image) => "gate",
        { App: App.Probing { Adopted: false } p } when IsOnTrial(s, p.Container.Image) => "candidate",
        { App: App.Starting x } when IsOnTrial(s, x.Release.Image) => "candidate",
        { Image.IsRunning: true } => "pull",
        { Tag.Value: null } => "resolve",
        { Verdict: Verdict.Undecided } => "undecided",
        { Verdict.Avoids: true } => "rolled-back",
        { App: App.Serving v } when Target.Desired(s, policy) is { } desired && desired.Id != v.Container.ReleaseId => "waiting",
        { App: App.Serving v } when Rollout.IsWatched(s, v, policy) => "watch",
        { App: App.Serving } => "settled",
        { Verdict: Verdict.OnTrial, Hold: not null } => "none",
        { Verdict: Verdict.OnTrial } => "candidate",
        { Tag.Value: { } tag } when s.Good.FirstOrDefault() == tag.Image => "settled",
        _ => "none",
    };

    private static bool IsOnTrial(AgentState s, ImageName? image) => s.Verdict is Verdict.OnTrial trial && trial.Image == image;
}
