namespace RagAgent.Supervision;

/// <summary>What should run.</summary>
internal static class Target
{
    /// <summary>The image is avoided, and there is another one to run instead.</summary>
    public static bool IsSetAside(AgentState s, ImageName image) => Rollout.IsAvoided(s, image) && Rollout.Fallback(s) is not null;

    /// <summary>The release that should serve: the newest, or another one while that is set aside; known only when the tag, its image and the secrets all are.</summary>
    public static Release? Desired(AgentState s, Policy policy)
    {
        if (s.Tag.Value is not { } tag || s.Secrets.Value is not { } secrets)
        {
            return null;
        }
        var image = IsSetAside(s, tag.Image) ? Instead(s) : s.Image.Value?.Digest == tag.Image.Digest ? tag.Image : null;
        return image is null ? null : new Release(image, policy.ConfigFingerprint, secrets.Fingerprint);
    }

    /// <summary>
    /// What to start when nothing runs: the release that should serve, or, while it can't be had, what is on disk.
    /// At boot the newest is waited for until the look-up has failed a few times; after a crash nothing is waited for.
    /// </summary>
    public static Release? Startable(AgentState s, Policy policy)
    {
        if (s.Hold is not null || s.Secrets.Value is not { } secrets || s.Now < SecretsAreAwaitedUntil(s, policy))
        {
            return null;
        }
        if (Desired(s, policy) is { } desired)
        {
            return IsFresh(s) && !s.IsDefective(desired.Image) ? desired : null;
        }
        var newestIsOutOfReach = s.Tag.Failures >= policy.StaleAfterFailures || s.Image.Failures >= policy.StaleAfterFailures;
        return (s.Crashes > 0 || newestIsOutOfReach || policy.CachedFirst) && InStock(s, policy) is { } image
            ? new Release(image, policy.ConfigFingerprint, secrets.Fingerprint)
            : null;
    }

    /// <summary>Whether the container must make room for the release that should serve now.</summary>
    public static bool MustGive(AgentState s, App app, Policy policy)
    {
        if (app.Current is not { } container || !IsFresh(s) || Desired(s, policy) is not { } desired || desired.Id == container.ReleaseId)
        {
            return false;
        }
        var nobodyWaitsForIt = s.Request is not null || Rollout.IsAvoided(s, container.Image) || container.ConfigFingerprint != policy.ConfigFingerprint;
        return nobodyWaitsForIt || app switch
        {
            // What was begun comes to its end before the next begins; what was found has to show first that it is well.
            App.Probing p => p is { Adopted: true, LastFault: not null },
            _ => !policy.WaitForIdle || s.Sessions == 0,
        };
    }

    /// <summary>Two may run at once: they share nothing that both would write to.</summary>
    public static bool MayStandBeside(Container front, Policy policy) => policy.StartFirst && front.ConfigFingerprint == policy.ConfigFingerprint;

    /// <summary>Until when a restart waits for the secrets that are being read again; null: it does not.</summary>
    public static Moment? SecretsAreAwaitedUntil(AgentState s, Policy policy) =>
        s.Secrets is { Value: not null, Work: Work.Running { Problem: null } reading } ? reading.Since + policy.FreshSecretsPatience : null;

    /// <summary>What an operator asked for is answered by what is learned after it, unless the answer fails to come.</summary>
    private static bool IsFresh(AgentState s) =>
        s.Request is not { } request ||
        ((s.Tag.ReadAt >= request.AskedAt || s.Tag.Problem is not null) && (s.Secrets.ReadAt >= request.AskedAt || s.Secrets.Problem is not null));

    /// <summary>What serves while a candidate fails beside it is left alone, though its own watch may not be over: visitors lose nothing. Otherwise the last good one.</summary>
    private static ImageName? Instead(AgentState s) =>
        s.App is App.Serving or App.Probing { Adopted: true } && s.App.Current?.Image is { } front && !Rollout.IsAvoided(s, front) ? front : Rollout.Fallback(s);

    /// <summary>The image that ran before; the last good one when that one is avoided or broken, or when a good one is to be shown at once.</summary>
    private static ImageName? InStock(AgentState s, Policy policy)
    {
        ImageName?[] all = policy.CachedFirst && s.Crashes == 0 ? [.. s.Good, s.LastImage] : [s.LastImage, .. s.Good];
        return all.FirstOrDefault(image => image is not null && !IsSetAside(s, image) && !s.IsDefective(image));
    }
}
