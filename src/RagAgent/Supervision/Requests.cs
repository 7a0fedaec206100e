namespace RagAgent.Supervision;

/// <summary>What operators ask for: how it begins, when it is over, and how it ended.</summary>
internal static class Requests
{
    public static AgentState Begin(AgentState s, RequestKind kind)
    {
        var from = s.Request is { } open && open.Kind == kind ? open.From : (s.App as App.Serving)?.Container.ReleaseId;
        s = s with { Counter = s.Counter + 1, Request = new Request(s.Counter + 1, kind, s.Now, from) };
        return kind switch
        {
            RequestKind.Stop => s with { Hold = Hold.Operator, HeldAt = s.Now },
            RequestKind.Start => AskAnew(s with { Hold = null, HeldAt = null, StopCalled = null, LastEnd = null }),
            _ when s.Hold is { } hold => Fail(s, StoppedBy(hold)),
            RequestKind.Rollback => Rollback(s),
            RequestKind.Unquarantine when s.Verdict is not { Avoids: true } => Fail(s, NothingSetAside),
            RequestKind.Unquarantine => AskAnew(s with { Verdict = null }),
            _ => AskAnew(s.Verdict is Verdict.Undecided ? s with { Verdict = null } : s),
        };
    }

    /// <summary>Ends the request that is open when its answer is known.</summary>
    public static AgentState End(AgentState s, Policy policy) => s.Request?.Kind switch
    {
        // What could not be done when it was asked for held, and is done by now.
        null => s is { LastOutcome: { Kind: RequestKind.Stop, Problem: not null } late, Hold: Hold.Operator } && IsStopped(s) ? s with { LastOutcome = late with { Problem = null } } : s,
        RequestKind.Stop => s.Engine.Problem is { } problem ? Fail(s, problem with { Remedy = $"{problem.Remedy} The stop holds: the app is stopped as soon as the engine answers." })
            : IsStopped(s) ? Succeed(s, null) : s,
        RequestKind.Start => s.Engine.Problem is { } problem ? Fail(s, problem with { Remedy = $"{problem.Remedy} The app is started as soon as the engine answers." })
            : s is { App: App.Serving v, Engine.Work: Work.Idle } ? Succeed(s, v) : Obstacle(s, s.Request, policy) is { } obstacle ? Fail(s, obstacle) : s,
        _ => EndUpdate(s, s.Request, policy),
    };

    private static bool IsStopped(AgentState s) => s is { App: App.Absent, Beside: null, EngineAnswers: true };

    private static AgentState EndUpdate(AgentState s, Request request, Policy policy)
    {
        var learned = s.Tag.ReadAt >= request.AskedAt && s.Secrets.ReadAt >= request.AskedAt;
        if (learned && s.App is App.Serving v && Target.Desired(s, policy) is { } desired && desired.Id == v.Container.ReleaseId)
        {
            // The one before it serves well: that is an answer to a rollback, and none to an update.
            return request.Kind != RequestKind.Rollback && s.Verdict is { Avoids: true } verdict && verdict.Image == s.Tag.Value?.Image
                ? Fail(s, SetAside(verdict))
                : Succeed(s, v);
        }
        return WhatFailed(s, request, policy) is { } problem ? Fail(s, problem) : s;
    }

    private static Problem? WhatFailed(AgentState s, Request request, Policy policy) =>
        s.Engine.Problem ?? s.Secrets.Problem ?? s.Tag.Problem ??
        (s.Tag.ReadAt >= request.AskedAt ? s.Image.Problem : null) ??
        FailedRelease(s, request, policy);

    /// <summary>What keeps the app from being started.</summary>
    private static Problem? Obstacle(AgentState s, Request request, Policy policy) =>
        s.Secrets.Problem ??
        (s.LastImage is null && s.Good.IsEmpty ? s.Tag.Problem ?? s.Image.Problem : null) ??
        FailedRelease(s, request, policy);

    /// <summary>
    /// A release that was started for this request and failed is its failure, once nothing more is tried for it: while its image is
    /// on trial and there is one to go back to, the trial has the last word.
    /// </summary>
    private static Problem? FailedRelease(AgentState s, Request request, Policy policy)
    {
        if (s.LastFailure is not { } failure || failure.At < request.AskedAt || !(s.App is App.BackingOff || s.Beside is App.BackingOff))
        {
            return null;
        }
        var desired = Target.Desired(s, policy);
        var isOnTrial = s.Verdict is Verdict.OnTrial trial && trial.Image == desired?.Image && Rollout.Fallback(s) is not null && Failures.Weight(failure.Problem) > 0;
        return failure.ReleaseId is not null && failure.ReleaseId == desired?.Id && !isOnTrial ? failure.Problem : null;
    }

    private static AgentState Rollback(AgentState s)
    {
        if (s.Verdict is { Avoids: true } already)
        {
            return Fail(s, already is Verdict.Undecided ? SetAside(already) : NothingFurtherBack(already.Image));
        }
        var from = s.Tag.Value?.Image ?? s.App.Current?.Image ?? s.LastImage;
        return from is null || s.Good.All(good => good == from)
            ? Fail(s, NothingBefore)
            : AskAnew(s with { Verdict = new Verdict.RolledBack(from, ByOperator, 0, 1, Asked: true, Under: null) });
    }

    /// <summary>Everything is asked again, and nobody who asks waits for a delay that an earlier failure earned.</summary>
    private static AgentState AskAnew(AgentState s) => s with
    {
        Secrets = s.Secrets.Refresh(),
        Tag = s.Tag.Refresh(),
        Image = s.Image.Problem is null ? s.Image : s.Image.Refresh(),
        App = s.App is App.BackingOff ? new App.Absent() : s.App,
        Beside = s.Beside is App.BackingOff ? null : s.Beside,
        Engine = s.Engine.Problem is null ? s.Engine : s.Engine.Refresh(),
    };

    private static AgentState Succeed(AgentState s, App.Serving? serving) => s with
    {
        Request = null,
        // A rollback may have called off a candidate: what serves is the same, and what is run from now on is not.
        LastOutcome = new Outcome(s.Request!.Id, s.Request.Kind, serving is not null && (serving.Container.ReleaseId != s.Request.From || s.Request.Kind == RequestKind.Rollback), serving?.Container.Image?.Digest, null),
    };

    /// <summary>The request that is open ends with this; the state keeps what it asked for.</summary>
    public static AgentState Fail(AgentState s, Problem problem) => s with
    {
        Request = null,
        LastOutcome = new Outcome(s.Request!.Id, s.Request.Kind, Changed: false, null, problem),
    };

    private static Problem SetAside(Verdict verdict) => verdict switch
    {
        Verdict.Undecided u => new("image-undecided",
            $"The newest image {Words.Digest(u.Image.Digest)} failed, and so did the one before it: {u.Why.What}",
            "Look for what both need: the configuration, the secrets, the machine. It is tried again when one of these changes."),
        Verdict.RolledBack { Why: var why } => Quarantined(verdict.Image, why),
        Verdict.Quarantined { Why: var why } => Quarantined(verdict.Image, why),
        _ => NothingSetAside,
    };

    private static Problem Quarantined(ImageName image, Problem why) => new("image-quarantined",
        $"The newest image {Words.Digest(image.Digest)} was set aside, and the last good one is run instead: {why.What}",
        "Push a better one, or give it another chance with 'ragagent unquarantine'.");

    private static Problem ByOperator => new("image-rolled-back",
        "An operator asked for it.", "It is not run again until the tag moves, or 'ragagent unquarantine'.");

    private static Problem StoppedBy(Hold hold) => new("app-stopped",
        hold == Hold.Operator ? "The app is stopped, by 'ragagent stop'." : "The app is stopped, by 'docker stop'.", "Start it with 'ragagent start'.");

    private static Problem NothingSetAside => new("nothing-quarantined", "No image is set aside.", "There is nothing to do; 'ragagent status' shows what serves.");

    private static Problem NothingFurtherBack(ImageName image) => new("image-quarantined",
        $"The newest image {Words.Digest(image.Digest)} is set aside already, and the one before it is run: a rollback goes one step back.",
        "Push an older version under the tag again, or give the newest another chance with 'ragagent unquarantine'.");

    private static Problem NothingBefore => new("no-last-good", "There is no other image that has proven itself, so there is nothing to go back to.",
        "Push the wanted version under the tag again.");
}
