using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>An instance that nobody uses stops itself: first a notice, which activity revokes, then the stop.</summary>
/// <remarks>
/// A stop for lack of activity never interrupts work in progress. A stop for too long an uptime waits for such work, but not forever.
/// Work that keeps failing does not block a stop: between two tries nothing is in progress.
/// </remarks>
internal static class IdleStop
{
    /// <summary>The stop was requested or accepted: nothing new begins.</summary>
    public static bool IsStopping(AgentState state) => state.InstanceStop.IsRunning || IsAccepted(state);

    /// <summary>EC2 accepted the stop, and the agent waits for the shutdown.</summary>
    public static bool IsAccepted(AgentState state) => state.InstanceStop.Value is not null;

    /// <summary>Records activity by a client or an operator.</summary>
    public static AgentState Touch(AgentState state) => state with { Idle = state.Idle with { LastActivity = state.Now } };

    /// <summary>
    /// While the instance shuts down, operator requests fail. If it is still up after the shutdown deadline, the stop is requested again.
    /// </summary>
    public static AgentState AwaitShutdown(AgentState state, Policy policy)
    {
        if (policy.Idle is not { } idle || state.InstanceStop.Value is not { } accepted)
        {
            return state;
        }
        if (state.Now >= accepted.At + idle.ShutdownDeadline)
        {
            var retry = new FetchState.Waiting(1, InstanceStillUp(accepted, idle), state.Now + idle.Retry.First);
            return state with { InstanceStop = new Fetched<StopAccepted>(null, null, retry) };
        }
        return state.Requests.Current is null ? state : OperatorRequests.Fail(state, InstanceStopping);
    }

    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (policy.Idle is not { } idle)
        {
            return state;
        }
        var isBusy = IsBusy(state, policy);
        if (state.Idle.FirstServedAt is null && state.Front is ContainerState.Serving)
        {
            state = state with { Idle = state.Idle with { FirstServedAt = state.Now } };
        }
        state = state with
        {
            Idle = state.Idle with
            {
                IdleNoticeAt = IdleNotice(state, idle, isBusy),
                UptimeNoticeAt = state.Now >= UptimeNoticeAt(idle) ? state.Idle.UptimeNoticeAt ?? state.Now : null,
            },
        };
        var waitsForRetry = state.InstanceStop.State is FetchState.Waiting { Until: var until } && state.Now < until;
        if (waitsForRetry || !IsWanted(state, idle, isBusy))
        {
            return state;
        }
        effects.Add(new Effect.StopInstance());
        return state with { InstanceStop = state.InstanceStop.Begin(state.Now) };
    }

    /// <summary>When the idle stop must be planned again; null: only an event can change anything.</summary>
    public static Moment? Deadline(AgentState state, Policy policy)
    {
        if (policy.Idle is not { } idle)
        {
            return null;
        }
        if (IsStopping(state))
        {
            return state.InstanceStop.Value?.At + idle.ShutdownDeadline;
        }
        var uptimeStop = UptimeStopAt(state, idle);
        Moment?[] deadlines =
        [
            IdleSince(state, idle),
            IdleStopAt(state, idle),
            UptimeNoticeAt(idle),
            uptimeStop,
            uptimeStop + idle.UptimeGrace,
            IsWanted(state, idle, IsBusy(state, policy)) ? (state.InstanceStop.State as FetchState.Waiting)?.Until : null,
        ];
        return deadlines.Where(at => at > state.Now).Min();
    }

    /// <summary>When the instance stops if there is no activity until then; null: it does not.</summary>
    /// <returns>The moment, and whether the reason is the uptime.</returns>
    public static (Moment At, bool IsForUptime)? PlannedStop(AgentState state, Policy policy)
    {
        if (policy.Idle is not { } idle)
        {
            return null;
        }
        var idleStop = IdleStopAt(state, idle) ?? IdleSince(state, idle) + idle.Notice;
        var uptimeStop = UptimeStopAt(state, idle) ?? UptimeNoticeAt(idle) + idle.UptimeNotice;
        return (idleStop, uptimeStop) switch
        {
            ({ } first, var second) when second is null || first <= second => (first, false),
            (_, { } at) => (at, true),
            _ => null,
        };
    }

    /// <summary>
    /// When the notice is to be kept, given or revoked. A notice that is older than the last activity, because nothing could be planned in
    /// between, does not count.
    /// </summary>
    private static Moment? IdleNotice(AgentState state, IdlePolicy idle, bool isBusy)
    {
        if (IdleSince(state, idle) is not { } idleSince || state.Now < idleSince)
        {
            return null;
        }
        if (state.Idle.IdleNoticeAt >= idleSince)
        {
            return state.Idle.IdleNoticeAt;
        }
        return isBusy ? null : state.Now;
    }

    /// <summary>
    /// When the instance counts as idle, if there is no more activity. Null while that is not counted: the app has neither served yet nor
    /// been stopped on purpose.
    /// </summary>
    private static Moment? IdleSince(AgentState state, IdlePolicy idle)
    {
        if (idle.StopAfter is not { } after || (state.Idle.FirstServedAt is null && state.Hold is null))
        {
            return null;
        }
        var lastActivity = new[] { state.Idle.LastActivity, state.Idle.FirstServedAt, state.HeldAt }.Max()!.Value;
        return new[] { lastActivity + idle.ActivityInterval + after, idle.BootedAt + idle.Grace }.Max();
    }

    private static Moment? IdleStopAt(AgentState state, IdlePolicy idle) => state.Idle.IdleNoticeAt + idle.Notice;

    private static Moment? UptimeNoticeAt(IdlePolicy idle) => idle.BootedAt + idle.MaxUptime - idle.UptimeNotice;

    private static Moment? UptimeStopAt(AgentState state, IdlePolicy idle) => state.Idle.UptimeNoticeAt + idle.UptimeNotice;

    private static bool IsWanted(AgentState state, IdlePolicy idle, bool isBusy)
    {
        var uptimeStop = UptimeStopAt(state, idle);
        var isIdle = state.Now >= IdleStopAt(state, idle) && !isBusy;
        var isUpTooLong = state.Now >= uptimeStop && (!isBusy || state.Now >= uptimeStop + idle.UptimeGrace);
        return isIdle || isUpTooLong;
    }

    /// <summary>Something is in progress that a stop would interrupt.</summary>
    private static bool IsBusy(AgentState state, Policy policy) =>
        state.Requests.Current is not null ||
        state.Image.IsRunning || state.Images.Fallback.IsRunning || state.Images.Cleanup.IsRunning || state.Saved.IsRunning ||
        IsInTransition(state.Front, state.Failures.Crashes, state, policy) ||
        IsInTransition(state.Candidate, state.Failures.OfCandidate, state, policy) ||
        IsBeingWatched(state, policy);

    /// <summary>The front is in its watch, and its image can still pass.</summary>
    private static bool IsBeingWatched(AgentState state, Policy policy) =>
        state.Front is ContainerState.Serving serving && state.Now < serving.Since + policy.Watch && Watch.Covers(state, serving, policy) &&
        state.Images.Verdict is not Verdict.OnTrial { Strikes: >= ImageTrial.MaxStrikes };

    /// <summary>The slot is about to change. A crash-looping container does not count: nobody knows when that ends.</summary>
    private static bool IsInTransition(ContainerState? slot, int failures, AgentState state, Policy policy) => slot switch
    {
        ContainerState.Starting or ContainerState.Stopping or ContainerState.Draining => true,
        // Without the engine these make no progress and reach no deadline.
        ContainerState.Unknown or ContainerState.Probing => IsEngineUsable(state, policy),
        ContainerState.Absent => IsEngineUsable(state, policy) &&
            (DesiredRelease.Startable(state, policy) is not null || state.Now < DesiredRelease.SecretsDeadline(state, policy)),
        ContainerState.BackingOff => failures < policy.CrashLoopThreshold,
        _ => false,
    };

    private static bool IsEngineUsable(AgentState state, Policy policy) =>
        state.Engine.Value is not null && state.Engine.Failures < policy.StaleAfterFailures;

    private static Problem InstanceStopping => new(
        ProblemCatalog.InstanceStopping, "The instance is being stopped.", "Start it again, then repeat the command.");

    private static Problem InstanceStillUp(StopAccepted accepted, IdlePolicy idle) => new(
        ProblemCatalog.InstanceStillUp,
        $"EC2 agreed to stop instance {accepted.InstanceId}, but it still runs {Humanize.Duration(idle.ShutdownDeadline)} later.",
        "The agent retries automatically. Check the instance's state in EC2.");
}
