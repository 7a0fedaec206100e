using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>An instance that nobody uses stops itself: first a notice, which activity takes back, then the stop.</summary>
/// <remarks>
/// A stop for want of visitors never meets something that is under way. One for a machine that has been up for too long meets it only when it
/// has been waited for. What fails again and again is not under way for ever: between two tries of it nothing is.
/// </remarks>
internal static class IdleStop
{
    /// <summary>The stop is being asked for, or was accepted: nothing else is begun any more.</summary>
    public static bool IsGoing(AgentState s) => s.InstanceStop.IsRunning || IsAccepted(s);

    /// <summary>EC2 stops the instance; the agent waits for its end.</summary>
    public static bool IsAccepted(AgentState s) => s.InstanceStop.Value is not null;

    /// <summary>Somebody did something.</summary>
    public static AgentState Stirred(AgentState s) => s with { Idle = s.Idle with { LastActivity = s.Now } };

    /// <summary>While the instance goes: who asks for something is told so, and a machine that stays up all the same is taken for what it is.</summary>
    public static AgentState Wait(AgentState s, Policy policy)
    {
        if (policy.Idle is not { } idle || s.InstanceStop.Value is not { } accepted)
        {
            return s;
        }
        return s.Now >= accepted.At + idle.GoesDownWithin
            ? s with { InstanceStop = new Tracked<Acceptance>(null, null, new Work.Waiting(1, StillUp(accepted, idle), s.Now + idle.Retry.First)) }
            : s.Request is null ? s : Requests.Fail(s, Going);
    }

    public static AgentState Plan(AgentState s, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (policy.Idle is not { } idle)
        {
            return s;
        }
        var isBusy = IsBusy(s, policy);
        s = s with { Idle = s.Idle with { FirstServed = s.Idle.FirstServed ?? (s.App is App.Serving ? s.Now : null) } };
        s = s with
        {
            Idle = s.Idle with
            {
                // A notice from before somebody came, while nothing could be planned, is none.
                QuietNotice = QuietFrom(s, idle) is not { } quiet || s.Now < quiet ? null
                    : s.Idle.QuietNotice >= quiet ? s.Idle.QuietNotice
                    : isBusy ? null : s.Now,
                UptimeNotice = UptimeNoticeAt(idle) is { } old && s.Now >= old ? s.Idle.UptimeNotice ?? s.Now : null,
            },
        };
        if (!IsWanted(s, idle, isBusy) || s.InstanceStop.Work is Work.Waiting { Until: var until } && s.Now < until)
        {
            return s;
        }
        effects.Add(new Effect.StopInstance());
        return s with { InstanceStop = s.InstanceStop.Begin(s.Now) };
    }

    /// <summary>When it next has to look at the clock; null: only news can change anything.</summary>
    public static Moment? Deadline(AgentState s, Policy policy)
    {
        if (policy.Idle is not { } idle)
        {
            return null;
        }
        if (IsGoing(s))
        {
            return s.InstanceStop.Value?.At + idle.GoesDownWithin;
        }
        var limit = UptimeStopAt(s, idle);
        Moment?[] all =
        [
            QuietFrom(s, idle), QuietStopAt(s, idle), UptimeNoticeAt(idle), limit, limit + idle.UptimePatience,
            IsWanted(s, idle, IsBusy(s, policy)) ? (s.InstanceStop.Work as Work.Waiting)?.Until : null,
        ];
        return all.Where(at => at > s.Now).Min();
    }

    /// <summary>When the instance is stopped as far as is known now, if nobody comes; null: it is not.</summary>
    /// <returns>The moment, and whether it is for the machine's uptime.</returns>
    public static (Moment At, bool IsForUptime)? Foreseen(AgentState s, Policy policy)
    {
        if (policy.Idle is not { } idle)
        {
            return null;
        }
        var quiet = QuietStopAt(s, idle) ?? QuietFrom(s, idle) + idle.Notice;
        var limit = UptimeStopAt(s, idle) ?? UptimeNoticeAt(idle) + idle.UptimeNotice;
        return (quiet, limit) switch
        {
            ({ } soon, var later) when later is null || soon <= later => (soon, false),
            (_, { } at) => (at, true),
            _ => null,
        };
    }

    /// <summary>From when on nobody comes; null while that is not counted: the app has neither served yet nor been stopped on purpose.</summary>
    private static Moment? QuietFrom(AgentState s, IdlePolicy idle)
    {
        if (idle.StopAfter is not { } after || (s.Idle.FirstServed is null && s.Hold is null))
        {
            return null;
        }
        var active = new[] { s.Idle.LastActivity, s.Idle.FirstServed, s.HeldAt }.Max()!.Value;
        return new[] { active + idle.ToldEvery + after, idle.BootedAt + idle.Grace }.Max();
    }

    private static Moment? QuietStopAt(AgentState s, IdlePolicy idle) => s.Idle.QuietNotice + idle.Notice;

    private static Moment? UptimeNoticeAt(IdlePolicy idle) => idle.BootedAt + idle.MaxUptime - idle.UptimeNotice;

    private static Moment? UptimeStopAt(AgentState s, IdlePolicy idle) => s.Idle.UptimeNotice + idle.UptimeNotice;

    private static bool IsWanted(AgentState s, IdlePolicy idle, bool isBusy) =>
        (QuietStopAt(s, idle) is { } quiet && s.Now >= quiet && !isBusy) ||
        (UptimeStopAt(s, idle) is { } limit && s.Now >= limit && (!isBusy || s.Now >= limit + idle.UptimePatience));

    /// <summary>Something is under way that a stop would cut.</summary>
    private static bool IsBusy(AgentState s, Policy policy) =>
        s.Request is not null || s.Image.IsRunning || s.Spare.IsRunning || s.Sweep.IsRunning || s.Written.IsRunning ||
        Moves(s.App, s.Crashes, s, policy) || Moves(s.Beside, s.CandidateFailures, s, policy) ||
        (s.App is App.Serving v && s.Now < v.Since + policy.Watch && Rollout.IsWatched(s, v, policy) && s.Verdict is not Verdict.OnTrial { Strikes: >= Rollout.Fatal });

    /// <summary>A container is on its way. One that waits for its next start is only as long as it has not failed so often that nobody knows when it will end.</summary>
    private static bool Moves(App? app, int failures, AgentState s, Policy policy) => app switch
    {
        App.Starting or App.Stopping or App.Draining => true,
        // Without the engine nothing goes on, and no deadline comes.
        App.Unseen or App.Probing => IsEngineNear(s, policy),
        App.Absent => IsEngineNear(s, policy) && (Target.Startable(s, policy) is not null || s.Now < Target.SecretsAreAwaitedUntil(s, policy)),
        App.BackingOff => failures < policy.CrashLoopAfter,
        _ => false,
    };

    private static bool IsEngineNear(AgentState s, Policy policy) => s.Engine.Value is not null && s.Engine.Failures < policy.StaleAfterFailures;

    private static Problem Going => new("instance-stopping", "The instance is being stopped.", "Start it again, and ask then.");

    private static Problem StillUp(Acceptance accepted, IdlePolicy idle) => new("instance-still-up",
        $"EC2 said that it stops the instance {accepted.InstanceId}, and it still runs {Words.Span(idle.GoesDownWithin)} later.",
        "The agent asks again by itself; see the instance's state in EC2.");
}
