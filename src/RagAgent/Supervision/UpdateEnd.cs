namespace RagAgent.Supervision;

/// <summary>When is an update that somebody waits for over, and how did it end?</summary>
internal static class UpdateEnd
{
    public static AgentState Learn(AgentState s, Policy policy)
    {
        if (s.Update is not { } update)
        {
            return s;
        }
        if (WhatFailed(s, update, policy) is { } problem)
        {
            return s with { Update = null, LastUpdate = new UpdateOutcome(update.Id, Changed: false, null, problem) };
        }
        var learned = s.Tag.ReadAt >= update.AskedAt && s.Secrets.ReadAt >= update.AskedAt;
        return learned && s.App is App.Serving v && Planner.Desired(s, policy) is { } desired && desired.Id == v.Container.ReleaseId
            ? s with { Update = null, LastUpdate = new UpdateOutcome(update.Id, desired.Id != update.From, desired.Image.Digest, null) }
            : s;
    }

    private static Problem? WhatFailed(AgentState s, Update update, Policy policy) =>
        s.Engine.Problem ?? s.Secrets.Problem ?? s.Tag.Problem ??
        (s.Tag.ReadAt >= update.AskedAt ? s.Image.Problem : null) ??
        // A release that was started for this update and failed is its failure; the restart goes on by itself.
        (s.App is App.BackingOff && s.LastFailure is { } failure && failure.At >= update.AskedAt &&
         failure.ReleaseId is not null && failure.ReleaseId == Planner.Desired(s, policy)?.Id ? failure.Problem : null);
}
