using RagAgent.Common;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>The trial of a new image: when it has failed, what is run instead, and when it has proven itself.</summary>
/// <remarks>
/// An image that is not known to be good is on trial from its first start. It fails by three crashes, two liveness kills or one missed
/// deadline, before or after its gate. Then the last good image is brought back, from the disk and without the registry, and is
/// watched as well: only when that one serves well is the new one to blame, and quarantined. When both fail, the fault lies
/// elsewhere (configuration, secret, machine): nothing is quarantined, and nothing goes back and forth.
/// </remarks>
internal static class Rollout
{
    public const int CrashWeight = 2;
    public const int KillWeight = 3;
    public const int NeverHealthyWeight = 6;
    public const int MaxStrikes = 6;
    private const int MaxRounds = 2;

    /// <summary>The image to go back to: the newest good one that is not itself on trial or avoided.</summary>
    public static ImageName? Fallback(AgentState state) => state.Images.KnownGood.FirstOrDefault(good => good != state.Images.Verdict?.Image);

    /// <summary>The image is not run as long as there is another.</summary>
    public static bool IsAvoided(AgentState state, ImageName? image) => image is not null && state.Images.Verdict is { IsAvoided: true } verdict && verdict.Image == image;

    /// <summary>An image is started, or was found running.</summary>
    public static AgentState Begin(AgentState state, ImageName? image) => image switch
    {
        null => state,
        // Tried and not chosen any more: what it did wrong is forgotten.
        _ when state.Images.KnownGood.Contains(image) => state.Images.Verdict is Verdict.OnTrial && (state.Images.Verdict.Image == image || state.Tag.Value?.Image == image) ? state with { Images = state.Images with { Verdict = null } } : state,
        _ when state.Images.Verdict?.Image == image => state,
        // What is known of the newest image outlives whatever else is run meanwhile; what is known of an older one does not matter any more.
        _ when state.Images.Verdict is { IsAvoided: true } && state.Tag.Value?.Image != image => state,
        _ => state with { Images = state.Images with { Verdict = new Verdict.OnTrial(image, 0, 1) } },
    };

    /// <summary>An image did something wrong that may be its own fault.</summary>
    public static AgentState Strike(AgentState state, ImageName? image, int weight, Problem why, string? under)
    {
        switch (state.Images.Verdict)
        {
            case Verdict.OnTrial trial when trial.Image == image:
                var strikes = Math.Min(trial.Strikes + weight, MaxStrikes);
                return state with
                {
                    Images = state.Images with { Verdict = strikes >= MaxStrikes && Fallback(state) is not null
                        ? new Verdict.RolledBack(trial.Image, why, 0, trial.Round, ByOperator: false, under)
                        : trial with { Strikes = strikes } },
                };
            case Verdict.RolledBack back when Fallback(state) == image:
                var second = back.Strikes + weight;
                return state with
                {
                    Images = state.Images with { Verdict = second < MaxStrikes ? back with { Strikes = second }
                        // An operator went back from an image that served: it is better than one that does not.
                        : back.ByOperator ? null
                        : new Verdict.Undecided(back.Image, back.Cause, back.Round, under) },
                };
            default:
                return state;
        }
    }

    /// <summary>An image has served well for the whole watch.</summary>
    public static AgentState PassWatch(AgentState state, ImageName image)
    {
        var verdict = state.Images.Verdict switch
        {
            Verdict.OnTrial trial when trial.Image == image => null,
            Verdict.RolledBack back => new Verdict.Quarantined(back.Image, back.Cause),
            Verdict.Undecided open when open.Round < MaxRounds => new Verdict.OnTrial(open.Image, 0, open.Round + 1),
            Verdict.Undecided open => new Verdict.Quarantined(open.Image, open.Cause),
            var other => other,
        };
        var before = state.Images.KnownGood.FirstOrDefault(good => good != image && good != verdict?.Image);
        return state with
        {
            Images = state.Images with
            {
                Verdict = verdict,
                KnownGood = before is null ? [image] : [image, before],
                // What is neither of the two is of no use any more.
                Cleanup = state.Images.KnownGood.FirstOrDefault() == image ? state.Images.Cleanup : state.Images.Cleanup.Refresh(),
            },
        };
    }

    /// <summary>One that serves makes room before its watch is over: better than nothing to go back to, unless it has failed its trial and only went on for want of another.</summary>
    public static AgentState KeepOutgoingAsGood(AgentState state, ImageName? image, ImageName? next) =>
        image is not null && image != next && state.Images.KnownGood.IsEmpty && !IsAvoided(state, image) && !(state.Images.Verdict is Verdict.OnTrial { Strikes: >= MaxStrikes } failed && failed.Image == image) ? state with { Images = state.Images with { KnownGood = [image] } } : state;

    /// <summary>A good image can't be used any more. Without another one, the one that was avoided is better than none.</summary>
    public static AgentState DropGood(AgentState state, ImageName image)
    {
        state = state with { Images = state.Images with { KnownGood = state.Images.KnownGood.Remove(image) } };
        return state.Images.Verdict is { IsAvoided: true } verdict && Fallback(state) is null
            // One that an operator went back from may have proven itself before.
            ? state with { Images = state.Images with { Verdict = state.Images.KnownGood.Contains(verdict.Image) ? null : new Verdict.OnTrial(verdict.Image, 0, 1) } }
            : state;
    }

    /// <summary>The tag has moved: what was set aside is of no interest any more.</summary>
    public static AgentState TagMoved(AgentState state, ImageName to) =>
        state.Images.Verdict is { IsAvoided: true } verdict && verdict.Image != to ? state with { Images = state.Images with { Verdict = null } } : state;

    /// <summary>A verdict that nothing depends on any more is dropped: the image failed with another configuration or other secrets, or the trial was called off.</summary>
    public static AgentState DropStaleVerdict(AgentState state, Policy policy) => state.Images.Verdict switch
    {
        Verdict.RolledBack { Inputs: { } then } when InputsOf(state, policy) is { } now && now != then => state with { Images = state.Images with { Verdict = null } },
        Verdict.Undecided { Inputs: { } then } when InputsOf(state, policy) is { } now && now != then => state with { Images = state.Images with { Verdict = null } },
        { Image: var image } when state.Front is ContainerState.Serving serving && state.Tag.Value is { } tag && tag.Image != image && !IsRunning(state.Front, image) && !IsRunning(state.Candidate, image) &&
            (state.Images.Verdict is Verdict.OnTrial || serving.Container.Image == tag.Image) => state with { Images = state.Images with { Verdict = null } },
        _ => state,
    };

    private static bool IsRunning(ContainerState? app, ImageName image) => app is ContainerState.Starting starting ? starting.Release.Image == image : app?.Current?.Image == image;

    /// <summary>What both images of a trial have in common; null while the secrets are not known.</summary>
    public static string? InputsOf(AgentState state, Policy policy) => state.Secrets.Value is { } secrets ? $"{policy.ConfigFingerprint}/{secrets.Fingerprint}" : null;
}
