using System.Collections.Immutable;
using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>An instance that nobody uses stops itself: first a notice, which activity takes back, then the stop.</summary>
/// <remarks>
/// A stop for want of visitors never meets something that is under way. One for a machine that has been up for too long meets it only when it
/// has been waited for. What fails again and again is not under way for ever: between two tries of it nothing is.
/// </remarks>
internal static class IdleStop
{
    /// <summary>The stop is being asked for, or was accepted: nothing else is begun any more.</summary>
    public static bool IsStopping(AgentState state) => state.InstanceStop.IsRunning || IsAccepted(state);

    /// <summary>EC2 stops the instance; the agent waits for its end.</summary>
    public static bool IsAccepted(AgentState state) => state.InstanceStop.Value is not null;

    /// <summary>Somebody did something.</summary>
    public static AgentState Touch(AgentState state) => state with { Idle = state.Idle with { LastActivity = state.Now } };

    /// <summary>While the instance goes: who asks for something is told so, and a machine that stays up all the same is taken for what it is.</summary>
    public static AgentState AwaitShutdown(AgentState state, Policy policy)
    {
        if (policy.Idle is not { } idle || state.InstanceStop.Value is not { } accepted)
        {
            return state;
        }
        return state.Now >= accepted.At + idle.ShutdownDeadline
            ? state with { InstanceStop = new Fetched<StopAccepted>(null, null, new FetchState.Waiting(1, InstanceStillUp(accepted, idle), state.Now + idle.Retry.First)) }
            : state.Requests.Current is null ? state : OperatorRequests.Fail(state, InstanceStopping);
    }

    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (policy.Idle is not { } idle)
        {
            return state;
        }
        var isBusy = IsBusy(state, policy);
        state = state with { Idle = state.Idle with { FirstServedAt = state.Idle.FirstServedAt ?? (state.Front is ContainerState.Serving ? state.Now : null) } };
        state = state with
        {
            Idle = state.Idle with
            {
                // A notice from before somebody came, while nothing could be planned, is none.
                IdleNoticeAt = IdleSince(state, idle) is not { } quiet || state.Now < quiet ? null
                    : state.Idle.IdleNoticeAt >= quiet ? state.Idle.IdleNoticeAt
                    : isBusy ? null : state.Now,
                UptimeNoticeAt = UptimeNoticeAt(idle) is { } old && state.Now >= old ? state.Idle.UptimeNoticeAt ?? state.Now : null,
            },
        };
        if (!IsWanted(state, idle, isBusy) || state.InstanceStop.State is FetchState.Waiting { Until: var until } && state.Now < until)
        {
            return state;
        }
        effects.Add(new Effect.StopInstance());
        return state with { InstanceStop = state.InstanceStop.Begin(state.Now) };
    }

    /// <summary>When it next has to look at the clock; null: only news can change anything.</summary>
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
        var limit = UptimeStopAt(state, idle);
        Moment?[] all =
        [
            IdleSince(state, idle), IdleStopAt(state, idle), UptimeNoticeAt(idle), limit, limit + idle.UptimeGrace,
            IsWanted(state, idle, IsBusy(state, policy)) ? (state.InstanceStop.State as FetchState.Waiting)?.Until : null,
        ];
        return all.Where(at => at > state.Now).Min();
    }

    /// <summary>When the instance is stopped as far as is known now, if nobody comes; null: it is not.</summary>
    /// <returns>The moment, and whether it is for the machine's uptime.</returns>
    public static (Moment At, bool IsForUptime)? PlannedStop(AgentState state, Policy policy)
    {
        if (policy.Idle is not { } idle)
        {
            return null;
        }
        var quiet = IdleStopAt(state, idle) ?? IdleSince(state, idle) + idle.Notice;
        var limit = UptimeStopAt(state, idle) ?? UptimeNoticeAt(idle) + idle.UptimeNotice;
        return (quiet, limit) switch
        {
            ({ } soon, var later) when later is null || soon <= later => (soon, false),
            (_, { } at) => (at, true),
            _ => null,
        };
    }

    /// <summary>From when on nobody comes; null while that is not counted: the app has neither served yet nor been stopped on purpose.</summary>
    private static Moment? IdleSince(AgentState state, IdlePolicy idle)
    {
        if (idle.StopAfter is not { } after || (state.Idle.FirstServedAt is null && state.Hold is null))
        {
            return null;
        }
        var active = new[] { state.Idle.LastActivity, state.Idle.FirstServedAt, state.HeldAt }.Max()!.Value;
        return new[] { active + idle.ActivityInterval + after, idle.BootedAt + idle.Grace }.Max();
    }

    private static Moment? IdleStopAt(AgentState state, IdlePolicy idle) => state.Idle.IdleNoticeAt + idle.Notice;

    private static Moment? UptimeNoticeAt(IdlePolicy idle) => idle.BootedAt + idle.MaxUptime - idle.UptimeNotice;

    private static Moment? UptimeStopAt(AgentState state, IdlePolicy idle) => state.Idle.UptimeNoticeAt + idle.UptimeNotice;

    private static bool IsWanted(AgentState state, IdlePolicy idle, bool isBusy) =>
        (IdleStopAt(state, idle) is { } quiet && state.Now >= quiet && !isBusy) ||
        (UptimeStopAt(state, idle) is { } limit && state.Now >= limit && (!isBusy || state.Now >= limit + idle.UptimeGrace));

    /// <summary>Something is under way that a stop would cut.</summary>
    private static bool IsBusy(AgentState state, Policy policy) =>
        state.Requests.Current is not null || state.Image.IsRunning || state.Images.Fallback.IsRunning || state.Images.Cleanup.IsRunning || state.Saved.IsRunning ||
        IsInTransition(state.Front, state.Failures.Crashes, state, policy) || IsInTransition(state.Candidate, state.Failures.OfCandidate, state, policy) ||
        (state.Front is ContainerState.Serving serving && state.Now < serving.Since + policy.Watch && Watch.Covers(state, serving, policy) && state.Images.Verdict is not Verdict.OnTrial { Strikes: >= Rollout.MaxStrikes });

    /// <summary>A container is on its way. One that waits for its next start is only as long as it has not failed so often that nobody knows when it will end.</summary>
    private static bool IsInTransition(ContainerState? app, int failures, AgentState state, Policy policy) => app switch
    {
        ContainerState.Starting or ContainerState.Stopping or ContainerState.Draining => true,
        // Without the engine nothing goes on, and no deadline comes.
        ContainerState.Unknown or ContainerState.Probing => IsEngineUsable(state, policy),
        ContainerState.Absent => IsEngineUsable(state, policy) && (DesiredRelease.Startable(state, policy) is not null || state.Now < DesiredRelease.SecretsDeadline(state, policy)),
        ContainerState.BackingOff => failures < policy.CrashLoopThreshold,
        _ => false,
    };

    private static bool IsEngineUsable(AgentState state, Policy policy) => state.Engine.Value is not null && state.Engine.Failures < policy.StaleAfterFailures;

    private static Problem InstanceStopping => new(ProblemCatalog.InstanceStopping, "The instance is being stopped.", "Start it again, and ask then.");

    private static Problem InstanceStillUp(StopAccepted accepted, IdlePolicy idle) => new(ProblemCatalog.InstanceStillUp,
        $"EC2 said that it stops the instance {accepted.InstanceId}, and it still runs {Humanize.Duration(idle.ShutdownDeadline)} later.",
        "The agent asks again by itself; see the instance's state in EC2.");
}
