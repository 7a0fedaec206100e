using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The trial of a new image: when it fails, what runs instead, and when the image counts as good.</summary>
/// <remarks>
/// <para>
/// An image that is not known to be good is on trial from its first start. Failures add strikes, each as many as the problem's
/// <see cref="ProblemKind.ImageBlame"/>, before and after the gate. At <see cref="MaxStrikes"/> the trial has failed: after three
/// crashes, two liveness kills or one missed startup deadline.
/// </para>
/// <para>
/// Then the last good image is started again, from disk and without the registry, and is watched too. If it serves well, the new image
/// was to blame and is quarantined. If it also fails, the cause lies elsewhere (configuration, secrets, machine): the verdict is
/// undecided, no image is quarantined, and the agent does not switch back and forth.
/// </para>
/// </remarks>
internal static class ImageTrial
{
    public const int MaxStrikes = 6;
    private const int MaxRounds = 2;

    /// <summary>The image to go back to: the newest good one without a verdict.</summary>
    public static ImageName? Fallback(AgentState state) =>
        state.Images.KnownGood.FirstOrDefault(good => good != state.Images.Verdict?.Image);

    /// <summary>The image is not run as long as there is another one.</summary>
    public static bool IsAvoided(AgentState state, ImageName? image) =>
        image is not null && state.Images.Verdict is { IsAvoided: true } verdict && verdict.Image == image;

    /// <summary>An image is started, or was found running. One that is not known to be good is on trial from now on.</summary>
    public static AgentState Begin(AgentState state, ImageName? image)
    {
        var verdict = state.Images.Verdict;
        if (image is null)
        {
            return state;
        }
        if (state.Images.KnownGood.Contains(image))
        {
            // A trial of this image is pointless, and one that the tag has left for this image is over.
            var endsTrial = verdict is Verdict.OnTrial && (verdict.Image == image || state.Tag.Value?.Image == image);
            return endsTrial ? state.WithVerdict(null) : state;
        }
        // The verdict on the newest image outlives whatever else runs in between. A verdict on an older one doesn't matter any more.
        var keepsVerdict = verdict?.Image == image || (verdict is { IsAvoided: true } && state.Tag.Value?.Image != image);
        return keepsVerdict ? state : state.WithVerdict(new Verdict.OnTrial(image, Strikes: 0, Round: 1));
    }

    /// <summary>Counts a failure that may be the image's own fault.</summary>
    /// <param name="state">The state before the strike.</param>
    /// <param name="image">The image that failed; null when it is unknown.</param>
    /// <param name="weight">How many strikes the failure counts.</param>
    /// <param name="cause">The failure.</param>
    /// <param name="inputs">The <see cref="InputsOf"/> the failed container.</param>
    public static AgentState Strike(AgentState state, ImageName? image, int weight, Problem cause, string? inputs) =>
        state.Images.Verdict switch
        {
            Verdict.OnTrial trial when trial.Image == image => StrikeTrial(state, trial, weight, cause, inputs),
            Verdict.RolledBack rolledBack when Fallback(state) == image => StrikeFallback(state, rolledBack, weight, inputs),
            _ => state,
        };

    private static AgentState StrikeTrial(AgentState state, Verdict.OnTrial trial, int weight, Problem cause, string? inputs)
    {
        var strikes = Math.Min(trial.Strikes + weight, MaxStrikes);
        if (strikes < MaxStrikes || Fallback(state) is not { } fallback)
        {
            return state.WithVerdict(trial with { Strikes = strikes });
        }
        // The verdict ends when the tag moves. If the newer image can't be fetched then, the one that failed must not be started again.
        var lastRun = state.Images.LastRun == trial.Image ? fallback : state.Images.LastRun;
        state = state with { Images = state.Images with { LastRun = lastRun } };
        return state.WithVerdict(new Verdict.RolledBack(trial.Image, cause, Strikes: 0, trial.Round, ByOperator: false, inputs));
    }

    private static AgentState StrikeFallback(AgentState state, Verdict.RolledBack rolledBack, int weight, string? inputs)
    {
        var strikes = rolledBack.Strikes + weight;
        if (strikes < MaxStrikes)
        {
            return state.WithVerdict(rolledBack with { Strikes = strikes });
        }
        // An operator rolled back an image that served: that one is better than one that does not.
        return rolledBack.ByOperator
            ? state.WithVerdict(null)
            : state.WithVerdict(new Verdict.Undecided(rolledBack.Image, rolledBack.Cause, rolledBack.Round, inputs));
    }

    /// <summary>An image has served well for the whole watch.</summary>
    public static AgentState PassWatch(AgentState state, ImageName image)
    {
        var verdict = state.Images.Verdict switch
        {
            Verdict.OnTrial trial when trial.Image == image => null,
            Verdict.RolledBack rolledBack => new Verdict.Quarantined(rolledBack.Image, rolledBack.Cause),
            Verdict.Undecided undecided when undecided.Round < MaxRounds =>
                new Verdict.OnTrial(undecided.Image, Strikes: 0, undecided.Round + 1),
            Verdict.Undecided undecided => new Verdict.Quarantined(undecided.Image, undecided.Cause),
            var other => other,
        };
        var previous = state.Images.KnownGood.FirstOrDefault(good => good != image && good != verdict?.Image);
        var isAlreadyNewest = state.Images.KnownGood.FirstOrDefault() == image;
        return state with
        {
            Images = state.Images with
            {
                Verdict = verdict,
                KnownGood = previous is null ? [image] : [image, previous],
                // Images that are not good ones any more only take up space.
                Cleanup = isAlreadyNewest ? state.Images.Cleanup : state.Images.Cleanup.Refresh(),
            },
        };
    }

    /// <summary>
    /// A serving image makes room before its watch is over. It becomes the good one if there is none: better than nothing to go back to.
    /// An image that failed its trial, and only kept serving because there was no other, does not.
    /// </summary>
    public static AgentState KeepOutgoingAsGood(AgentState state, ImageName? image, ImageName? next)
    {
        if (image is null || image == next || !state.Images.KnownGood.IsEmpty || IsAvoided(state, image))
        {
            return state;
        }
        var failedTrial = state.Images.Verdict is Verdict.OnTrial { Strikes: >= MaxStrikes } trial && trial.Image == image;
        return failedTrial ? state : state with { Images = state.Images with { KnownGood = [image] } };
    }

    /// <summary>A good image can't be used any more. If no other good one is left, the avoided image is better than none.</summary>
    public static AgentState DropGood(AgentState state, ImageName image)
    {
        state = state with { Images = state.Images with { KnownGood = state.Images.KnownGood.Remove(image) } };
        if (state.Images.Verdict is not { IsAvoided: true } verdict || Fallback(state) is not null)
        {
            return state;
        }
        // An image that an operator rolled back may already be known to be good.
        var isGood = state.Images.KnownGood.Contains(verdict.Image);
        return state.WithVerdict(isGood ? null : new Verdict.OnTrial(verdict.Image, Strikes: 0, Round: 1));
    }

    /// <summary>The tag has moved to another image: a verdict on the image before it does not matter any more.</summary>
    public static AgentState TagMoved(AgentState state, ImageName newest) =>
        state.Images.Verdict is { IsAvoided: true } verdict && verdict.Image != newest ? state.WithVerdict(null) : state;

    /// <summary>Drops a verdict that does not matter any more: the inputs have changed since, or the trial was called off.</summary>
    public static AgentState DropStaleVerdict(AgentState state, Policy policy) => state.Images.Verdict switch
    {
        Verdict.RolledBack { Inputs: { } then } when InputsOf(state, policy) is { } now && now != then => state.WithVerdict(null),
        Verdict.Undecided { Inputs: { } then } when InputsOf(state, policy) is { } now && now != then => state.WithVerdict(null),
        { } verdict when IsCalledOff(state, verdict) => state.WithVerdict(null),
        _ => state,
    };

    /// <summary>
    /// The configuration and the secrets, which both images of a trial have in common; null while the secrets are not known.
    /// </summary>
    public static string? InputsOf(AgentState state, Policy policy) =>
        state.Secrets.Value is { } secrets ? $"{policy.ConfigFingerprint}/{secrets.Fingerprint}" : null;

    /// <summary>Another image serves, the tag has moved on, and the image of the verdict is in neither slot.</summary>
    private static bool IsCalledOff(AgentState state, Verdict verdict) =>
        state.Front is ContainerState.Serving serving &&
        state.Tag.Value is { } tag && tag.Image != verdict.Image &&
        !IsRunning(state.Front, verdict.Image) && !IsRunning(state.Candidate, verdict.Image) &&
        (verdict is Verdict.OnTrial || serving.Container.Image == tag.Image);

    private static bool IsRunning(ContainerState? slot, ImageName image) =>
        slot is ContainerState.Starting starting ? starting.Release.Image == image : slot?.Current?.Image == image;
}
