using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>How far the newest image has come on its way to being the last good one. For people; nothing is decided by it.</summary>
internal static class RolloutPhase
{
    /// <returns>
    /// <c>resolve</c>, <c>pull</c>, <c>waiting</c> (for sessions to end), <c>candidate</c>, <c>gate</c>, <c>swap</c>, <c>watch</c>, <c>rolled-back</c>,
    /// <c>undecided</c>, <c>settled</c> (it is the last good one), or <c>none</c> (it can't be had, or nothing of it runs).
    /// </returns>
    public static string Of(AgentState state, Policy policy) => state switch
    {
        { Candidate: ContainerState.Starting or ContainerState.BackingOff } => "candidate",
        { Candidate: ContainerState.Probing { Stage: ProbeKind.Gate } } => "gate",
        { Candidate: ContainerState.Probing } => "candidate",
        { Candidate: ContainerState.Draining or ContainerState.Stopping { Reason: StopReason.Retired } } or { Front: ContainerState.Stopping { Reason: StopReason.Replaced } } => "swap",
        { Front: ContainerState.Probing { Adopted: false, Stage: ProbeKind.Gate } p } when IsOnTrial(state, p.Container.Image) => "gate",
        { Front: ContainerState.Probing { Adopted: false } p } when IsOnTrial(state, p.Container.Image) => "candidate",
        { Front: ContainerState.Starting x } when IsOnTrial(state, x.Release.Image) => "candidate",
        { Image.IsRunning: true } => "pull",
        { Tag.Value: null } => "resolve",
        { Images.Verdict: Verdict.Undecided } => "undecided",
        { Images.Verdict.IsAvoided: true } => "rolled-back",
        { Front: ContainerState.Serving v } when DesiredRelease.Of(state, policy) is { } desired && desired.Id != v.Container.ReleaseId => "waiting",
        { Front: ContainerState.Serving v } when Watch.Covers(state, v, policy) => "watch",
        { Front: ContainerState.Serving } => "settled",
        { Images.Verdict: Verdict.OnTrial, Hold: not null } => "none",
        { Images.Verdict: Verdict.OnTrial } => "candidate",
        { Tag.Value: { } tag } when state.Images.KnownGood.FirstOrDefault() == tag.Image => "settled",
        _ => "none",
    };

    private static bool IsOnTrial(AgentState state, ImageName? image) => state.Images.Verdict is Verdict.OnTrial trial && trial.Image == image;
}
