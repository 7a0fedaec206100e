using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Which sessions are in use, and how long an update waits for them.</summary>
internal static class SessionUse
{
    /// <summary>How many sessions are in use.</summary>
    public static int Count(AgentState state, Moment now, Policy policy) =>
        state.Sessions.Opaque + state.Sessions.LastActivity.Count(at => now < at + policy.SessionUseLasts);

    /// <summary>When the last of the sessions in use was used; null: none, or it can't be known.</summary>
    public static Moment? LastActivity(AgentState state) =>
        state.Sessions.LastActivity.IsEmpty ? null : state.Sessions.LastActivity.Max();

    /// <summary>A newer release must not replace the serving one now.</summary>
    public static bool HoldsUpdate(AgentState state, Policy policy) =>
        policy.WaitForIdle && !IsOver(state, policy) && (Count(state, state.Now, policy) > 0 || MayReturn(state, policy));

    /// <summary>The newer release has waited long enough, although sessions are in use.</summary>
    public static bool IsOverdue(AgentState state, Policy policy) => IsOver(state, policy) && Count(state, state.Now, policy) > 0;

    /// <summary>When the newer release is swapped in at the latest; null: none waits.</summary>
    public static Moment? WaitsUntil(AgentState state, Policy policy) => state.UpdateWaitsSince + policy.WaitAtMost;

    /// <summary>When time alone ends the use of the last session, or a wait; null: it doesn't.</summary>
    public static Moment? Deadline(AgentState state, Policy policy)
    {
        var lastEnds = state.Sessions.Opaque == 0 ? LastActivity(state) + policy.SessionUseLasts : null;
        Moment? allAreBack = MayReturn(state, policy) ? Moment.Zero + policy.SessionsReturnWithin : null;
        Moment?[] deadlines = [WaitsUntil(state, policy), lastEnds, allAreBack];
        return deadlines.Where(at => at > state.Now).Min();
    }

    /// <summary>The agent was restarted in the middle of a wait: the pages that were cut off are on their way back.</summary>
    private static bool MayReturn(AgentState state, Policy policy) =>
        state.UpdateWaitsSince < Moment.Zero && state.Now < Moment.Zero + policy.SessionsReturnWithin;

    private static bool IsOver(AgentState state, Policy policy) => state.Now >= WaitsUntil(state, policy);
}
