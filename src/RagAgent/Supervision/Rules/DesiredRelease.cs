using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Which release should serve, which one can be started now, and when a container must make room.</summary>
internal static class DesiredRelease
{
    /// <summary>The image is avoided, and there is another one to run instead.</summary>
    public static bool IsSetAside(AgentState state, ImageName image) =>
        ImageTrial.IsAvoided(state, image) && ImageTrial.Fallback(state) is not null;

    /// <summary>
    /// The release that should serve: the newest, or another one while the newest is set aside.
    /// Null until the tag, its image and the secrets are all known. An operator's rollback doesn't need the tag.
    /// </summary>
    public static Release? Of(AgentState state, Policy policy)
    {
        var rolledBack = state.Requests.Current is { Kind: RequestKind.Rollback } ? state.Images.Verdict?.Image : null;
        if ((state.Tag.Value?.Image ?? rolledBack) is not { } known || state.Secrets.Value is not { } secrets)
        {
            return null;
        }
        var image = known switch
        {
            var newest when IsSetAside(state, newest) => Replacement(state),
            var newest when state.Image.Value?.Digest == newest.Digest => newest,
            _ => null,
        };
        return image is null ? null : new Release(image, policy.ConfigFingerprint, secrets.Fingerprint);
    }

    /// <summary>
    /// What to start when nothing runs: the desired release, or an image on disk while the newest can't be reached.
    /// At boot the newest is waited for until the look-up has failed a few times or takes too long. After a crash nothing is waited for.
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
        return IsNewestNotWaitedFor(state, policy) && CachedImage(state, policy) is { } image
            ? new Release(image, policy.ConfigFingerprint, secrets.Fingerprint)
            : null;
    }

    /// <summary>An image on disk is started as soon as the secrets are there.</summary>
    public static bool WaitsOnlyForSecrets(AgentState state, Policy policy) =>
        state.Secrets.Value is null && IsNewestNotWaitedFor(state, policy) && CachedImage(state, policy) is not null;

    private static bool IsNewestNotWaitedFor(AgentState state, Policy policy)
    {
        var newestCantBeReached = state.Tag.Failures >= policy.StaleAfterFailures || state.Image.Failures >= policy.StaleAfterFailures ||
            (StaleAt(state, policy) is { } staleAt && state.Now >= staleAt);
        return state.Failures.Crashes > 0 || newestCantBeReached || policy.BootFromCache;
    }

    /// <summary>Whether the container must make room for the desired release now.</summary>
    public static bool MustYield(AgentState state, ContainerState slot, Policy policy)
    {
        if (slot.Current is not { } container || !IsUpToDate(state) ||
            Of(state, policy) is not { } desired || desired.Id == container.ReleaseId)
        {
            return false;
        }
        var isUrgent = state.Requests.Current is not null || ImageTrial.IsAvoided(state, container.Image) ||
            container.ConfigFingerprint != policy.ConfigFingerprint;
        return isUrgent || slot switch
        {
            // A container that the agent started finishes its startup before the next one begins, unless it fails and nothing could replace
            // it so far. An adopted one has to pass a probe first.
            ContainerState.Probing { LastError: null, Session: null } => false,
            ContainerState.Probing probing => probing.Adopted || probing.Session is not null || ImageTrial.Fallback(state) is null,
            _ => !SessionUse.HoldsUpdate(state, policy),
        };
    }

    /// <summary>Two containers may run at once: they share nothing that both would write to.</summary>
    public static bool CanRunSideBySide(Container front, Policy policy) =>
        policy.StartFirst && front.ConfigFingerprint == policy.ConfigFingerprint;

    /// <summary>How long a restart waits for the secrets that are being read again; null: it does not wait.</summary>
    public static Moment? SecretsDeadline(AgentState state, Policy policy) =>
        state.Secrets is { Value: not null, State: FetchState.Running { Problem: null } reading }
            ? reading.Since + policy.FreshSecretsTimeout
            : null;

    /// <summary>When an agent that hasn't learned the newest image yet starts one from disk; null: it has.</summary>
    public static Moment? StaleAt(AgentState state, Policy policy) =>
        state.Tag.Value is null ? Moment.Zero + policy.StaleAfter : null;

    /// <summary>An operator's request is answered by what is learned after it, unless learning it fails.</summary>
    private static bool IsUpToDate(AgentState state)
    {
        if (state.Requests.Current is not { } request || request.NeedsNothingNew)
        {
            return true;
        }
        var tagIsSettled = state.Tag.ReadAt >= request.RequestedAt || state.Tag.Problem is not null;
        var secretsAreSettled = state.Secrets.ReadAt >= request.RequestedAt || state.Secrets.Problem is not null;
        return tagIsSettled && secretsAreSettled;
    }

    /// <summary>
    /// What runs instead of the newest image. An image that serves while the candidate fails stays, even before its own watch is over:
    /// clients lose nothing. Otherwise the last good one.
    /// </summary>
    private static ImageName? Replacement(AgentState state)
    {
        var frontMayServe = state.Front is ContainerState.Serving or ContainerState.Probing { Adopted: true };
        return frontMayServe && state.Front.Current?.Image is { } front && !ImageTrial.IsAvoided(state, front)
            ? front
            : ImageTrial.Fallback(state);
    }

    /// <summary>
    /// The image to start from disk: the last one that ran, then the one on trial, then the good ones. With
    /// <see cref="Policy.BootFromCache"/> the good ones come first at boot. An image that is set aside or defective is skipped.
    /// </summary>
    public static ImageName? CachedImage(AgentState state, Policy policy)
    {
        var goodFirst = policy.BootFromCache && state.Failures.Crashes == 0;
        // It ran, so it is on disk. Without its container only the verdict tells. One that failed must not be in the way of a newer one.
        var onTrial = (state.Images.Verdict as Verdict.OnTrial) is { Strikes: 0 } trial ? trial.Image : null;
        ImageName?[] images = goodFirst
            ? [.. state.Images.KnownGood, state.Images.LastRun, onTrial]
            : [state.Images.LastRun, onTrial, .. state.Images.KnownGood];
        return images.FirstOrDefault(image => image is not null && !IsSetAside(state, image) && !state.IsDefective(image));
    }
}
