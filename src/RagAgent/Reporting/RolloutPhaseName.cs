using RagAgent.Supervision;
using RagAgent.Supervision.Rules;
using RagAgent.Supervision.State;

namespace RagAgent.Reporting;

/// <summary>How far the newest image is on its way to being the last good one. For people only; no decision reads it.</summary>
internal static class RolloutPhaseName
{
    /// <returns>
    /// <c>resolve</c>, <c>pull</c>, <c>waiting</c> (for sessions to end), <c>candidate</c>, <c>gate</c>, <c>swap</c>, <c>watch</c>,
    /// <c>rolled-back</c>, <c>undecided</c>, <c>settled</c> (it is the last good one), or <c>none</c>
    /// (it can't be fetched, or does not run).
    /// </returns>
    public static string Of(AgentState state, Policy policy) => state switch
    {
        { Candidate: ContainerState.Starting or ContainerState.BackingOff } => "candidate",
        { Candidate: ContainerState.Probing { Stage: ProbeKind.Gate } } => "gate",
        { Candidate: ContainerState.Probing } => "candidate",
        { Candidate: ContainerState.Draining or ContainerState.Stopping { Reason: StopReason.Retired } } => "swap",
        { Front: ContainerState.Stopping { Reason: StopReason.Replaced } } => "swap",
        { Front: ContainerState.Probing { Adopted: false, Stage: ProbeKind.Gate } probing }
            when IsOnTrial(state, probing.Container.Image) => "gate",
        { Front: ContainerState.Probing { Adopted: false } probing } when IsOnTrial(state, probing.Container.Image) => "candidate",
        { Front: ContainerState.Starting starting } when IsOnTrial(state, starting.Release.Image) => "candidate",
        { Image.IsRunning: true } => "pull",
        { Tag.Value: null } => "resolve",
        { Images.Verdict: Verdict.Undecided } => "undecided",
        { Images.Verdict.IsAvoided: true } => "rolled-back",
        { Front: ContainerState.Serving serving }
            when DesiredRelease.Of(state, policy) is { } desired && desired.Id != serving.Container.ReleaseId => "waiting",
        { Front: ContainerState.Serving serving } when Watch.Covers(state, serving, policy) => "watch",
        { Front: ContainerState.Serving } => "settled",
        { Images.Verdict: Verdict.OnTrial, Hold: not null } => "none",
        { Images.Verdict: Verdict.OnTrial } => "candidate",
        { Tag.Value: { } tag } when state.Images.KnownGood.FirstOrDefault() == tag.Image => "settled",
        _ => "none",
    };

    private static bool IsOnTrial(AgentState state, ImageName? image) =>
        state.Images.Verdict is Verdict.OnTrial trial && trial.Image == image;
}
