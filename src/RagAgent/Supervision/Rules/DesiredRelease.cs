using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>What should run.</summary>
internal static class DesiredRelease
{
    /// <summary>The image is avoided, and there is another one to run instead.</summary>
    public static bool IsSetAside(AgentState state, ImageName image) => Rollout.IsAvoided(state, image) && Rollout.Fallback(state) is not null;

    /// <summary>The release that should serve: the newest, or another one while that is set aside; known only when the tag, its image and the secrets all are.</summary>
    public static Release? Of(AgentState state, Policy policy)
    {
        if (state.Tag.Value is not { } tag || state.Secrets.Value is not { } secrets)
        {
            return null;
        }
        var image = IsSetAside(state, tag.Image) ? Replacement(state) : state.Image.Value?.Digest == tag.Image.Digest ? tag.Image : null;
        return image is null ? null : new Release(image, policy.ConfigFingerprint, secrets.Fingerprint);
    }

    /// <summary>
    /// What to start when nothing runs: the release that should serve, or, while it can't be had, what is on disk.
    /// At boot the newest is waited for until the look-up has failed a few times; after a crash nothing is waited for.
    /// </summary>
    public static Release? Startable(AgentState state, Policy policy)
    {
        if (state.Hold is not null || state.Secrets.Value is not { } secrets || state.Now < SecretsDeadline(state, policy))
        {
            return null;
        }
        if (Of(state, policy) is { } desired)
        {
            return IsUpToDate(state) && !state.IsDefective(desired.Image) ? desired : null;
        }
        var newestIsOutOfReach = state.Tag.Failures >= policy.StaleAfterFailures || state.Image.Failures >= policy.StaleAfterFailures;
        return (state.Crashes > 0 || newestIsOutOfReach || policy.BootFromCache) && CachedImage(state, policy) is { } image
            ? new Release(image, policy.ConfigFingerprint, secrets.Fingerprint)
            : null;
    }

    /// <summary>Whether the container must make room for the release that should serve now.</summary>
    public static bool MustYield(AgentState state, ContainerState app, Policy policy)
    {
        if (app.Current is not { } container || !IsUpToDate(state) || Of(state, policy) is not { } desired || desired.Id == container.ReleaseId)
        {
            return false;
        }
        var nobodyWaitsForIt = state.Request is not null || Rollout.IsAvoided(state, container.Image) || container.ConfigFingerprint != policy.ConfigFingerprint;
        return nobodyWaitsForIt || app switch
        {
            // What was begun comes to its end before the next begins; what was found has to show first that it is well.
            ContainerState.Probing p => p is { Adopted: true, LastError: not null },
            _ => !policy.WaitForIdle || state.Sessions == 0,
        };
    }

    /// <summary>Two may run at once: they share nothing that both would write to.</summary>
    public static bool CanRunSideBySide(Container front, Policy policy) => policy.StartFirst && front.ConfigFingerprint == policy.ConfigFingerprint;

    /// <summary>Until when a restart waits for the secrets that are being read again; null: it does not.</summary>
    public static Moment? SecretsDeadline(AgentState state, Policy policy) =>
        state.Secrets is { Value: not null, State: FetchState.Running { Problem: null } reading } ? reading.Since + policy.FreshSecretsTimeout : null;

    /// <summary>What an operator asked for is answered by what is learned after it, unless the answer fails to come.</summary>
    private static bool IsUpToDate(AgentState state) =>
        state.Request is not { } request ||
        ((state.Tag.ReadAt >= request.RequestedAt || state.Tag.Problem is not null) && (state.Secrets.ReadAt >= request.RequestedAt || state.Secrets.Problem is not null));

    /// <summary>What serves while a candidate fails beside it is left alone, though its own watch may not be over: visitors lose nothing. Otherwise the last good one.</summary>
    private static ImageName? Replacement(AgentState state) =>
        state.Front is ContainerState.Serving or ContainerState.Probing { Adopted: true } && state.Front.Current?.Image is { } front && !Rollout.IsAvoided(state, front) ? front : Rollout.Fallback(state);

    /// <summary>The image that ran before; the last good one when that one is avoided or broken, or when a good one is to be shown at once.</summary>
    private static ImageName? CachedImage(AgentState state, Policy policy)
    {
        ImageName?[] all = policy.BootFromCache && state.Crashes == 0 ? [.. state.KnownGood, state.LastImage] : [state.LastImage, .. state.KnownGood];
        return all.FirstOrDefault(image => image is not null && !IsSetAside(state, image) && !state.IsDefective(image));
    }
}
