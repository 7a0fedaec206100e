using RagAgent.Supervision;

namespace RagAgent.Proxy;

/// <summary>Whether an app that does not serve is about to serve again, so that a request is better held than refused. Pure.</summary>
internal static class Comeback
{
    /// <summary>Until when it is worth to wait; null: it is not. Never at a first boot, where nothing has served yet, once the engine has said so.</summary>
    /// <param name="s">The newest state.</param>
    /// <param name="policy">The agent's numbers.</param>
    /// <param name="patience">For how long of a change requests wait, from its beginning.</param>
    public static Moment? AwaitedUntil(AgentState s, Policy policy, TimeSpan patience)
    {
        if (s is { App: App.Unseen, Engine.Problem: null })
        {
            // The agent has just begun, and nobody knows yet whether an app has served all the time: the engine is being looked at.
            return Moment.Zero + patience;
        }
        var began = s.App is App.Probing { Adopted: true, LastFault: null } found ? found.Since : s.ServedUntil;
        return began is { } since && s is { Hold: null, EngineAnswers: true } && s.Crashes < policy.CrashLoopAfter && IsUnderWay(s, policy, since + patience) ? since + patience : null;
    }

    private static bool IsUnderWay(AgentState s, Policy policy, Moment end) => s.App switch
    {
        App.Starting or App.Probing => true,
        App.Stopping { Reason: StopReason.Replaced or StopReason.Unhealthy or StopReason.RestartedByOther } => true,
        App.BackingOff b => b.Until < end && IsInStock(s, policy),
        App.Absent => IsInStock(s, policy),
        _ => false,
    };

    /// <summary>What is started next is on disk: a pull would take longer than anybody waits.</summary>
    private static bool IsInStock(AgentState s, Policy policy) =>
        s.Secrets.Value is not null && (Target.Desired(s, policy)?.Image ?? s.LastImage) is { } next && !s.IsDefective(next);
}
