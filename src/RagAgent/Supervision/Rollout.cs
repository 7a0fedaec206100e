using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>The trial of a new image: when it has failed, what is run instead, and when it has proven itself.</summary>
/// <remarks>
/// An image that is not known to be good is on trial from its first start. It fails by three crashes, two liveness kills or one missed
/// deadline, before or after its gate. Then the last good image is brought back, from the disk and without the registry, and is
/// watched as well: only when that one serves well is the new one to blame, and quarantined. When both fail, the fault lies
/// elsewhere (configuration, secret, machine): nothing is quarantined, and nothing goes back and forth.
/// </remarks>
internal static class Rollout
{
    public const int Crash = 2;
    public const int Kill = 3;
    public const int NeverHealthy = 6;
    public const int Fatal = 6;
    private const int MostRounds = 2;

    /// <summary>The image to go back to: the newest good one that is not itself on trial or avoided.</summary>
    public static ImageName? Fallback(AgentState s) => s.Good.FirstOrDefault(good => good != s.Verdict?.Image);

    /// <summary>The image is not run as long as there is another.</summary>
    public static bool IsAvoided(AgentState s, ImageName? image) => image is not null && s.Verdict is { Avoids: true } verdict && verdict.Image == image;

    /// <summary>An image is started, or was found running.</summary>
    public static AgentState Begin(AgentState s, ImageName? image) => image switch
    {
        null => s,
        // Tried and not chosen any more: what it did wrong is forgotten.
        _ when s.Good.Contains(image) => s.Verdict is Verdict.OnTrial && (s.Verdict.Image == image || s.Tag.Value?.Image == image) ? s with { Verdict = null } : s,
        _ when s.Verdict?.Image == image => s,
        // What is known of the newest image outlives whatever else is run meanwhile; what is known of an older one does not matter any more.
        _ when s.Verdict is { Avoids: true } && s.Tag.Value?.Image != image => s,
        _ => s with { Verdict = new Verdict.OnTrial(image, 0, 1) },
    };

    /// <summary>An image did something wrong that may be its own fault.</summary>
    public static AgentState Strike(AgentState s, ImageName? image, int weight, Problem why, string? under)
    {
        switch (s.Verdict)
        {
            case Verdict.OnTrial trial when trial.Image == image:
                var strikes = Math.Min(trial.Strikes + weight, Fatal);
                return s with
                {
                    Verdict = strikes >= Fatal && Fallback(s) is not null
                        ? new Verdict.RolledBack(trial.Image, why, 0, trial.Round, Asked: false, under)
                        : trial with { Strikes = strikes },
                };
            case Verdict.RolledBack back when Fallback(s) == image:
                var second = back.Strikes + weight;
                return s with
                {
                    Verdict = second < Fatal ? back with { Strikes = second }
                        // An operator went back from an image that served: it is better than one that does not.
                        : back.Asked ? null
                        : new Verdict.Undecided(back.Image, back.Why, back.Round, under),
                };
            default:
                return s;
        }
    }

    /// <summary>Serving well for the whole watch would change what is known.</summary>
    /// <remarks>Against an image that failed speaks only what serves with the same configuration and secrets.</remarks>
    public static bool IsWatched(AgentState s, App.Serving v, Policy policy) => v.Container.Image is { } image && !IsAvoided(s, image) &&
        (s.Verdict is Verdict.RolledBack or Verdict.Undecided ? Target.Desired(s, policy)?.Id == v.Container.ReleaseId : s.Good.FirstOrDefault() != image);

    /// <summary>An image has served well for the whole watch.</summary>
    public static AgentState Proven(AgentState s, ImageName image)
    {
        var verdict = s.Verdict switch
        {
            Verdict.OnTrial trial when trial.Image == image => null,
            Verdict.RolledBack back => new Verdict.Quarantined(back.Image, back.Why),
            Verdict.Undecided open when open.Round < MostRounds => new Verdict.OnTrial(open.Image, 0, open.Round + 1),
            Verdict.Undecided open => new Verdict.Quarantined(open.Image, open.Why),
            var other => other,
        };
        var before = s.Good.FirstOrDefault(good => good != image && good != verdict?.Image);
        return s with
        {
            Verdict = verdict,
            Good = before is null ? [image] : [image, before],
            // What is neither of the two is of no use any more.
            Sweep = s.Good.FirstOrDefault() == image ? s.Sweep : s.Sweep.Refresh(),
        };
    }

    /// <summary>One that serves makes room before its watch is over: better than nothing to go back to, unless it has failed its trial and only went on for want of another.</summary>
    public static AgentState Leave(AgentState s, ImageName? image, ImageName? next) =>
        image is not null && image != next && s.Good.IsEmpty && !IsAvoided(s, image) && !(s.Verdict is Verdict.OnTrial { Strikes: >= Fatal } failed && failed.Image == image) ? s with { Good = [image] } : s;

    /// <summary>A good image can't be used any more. Without another one, the one that was avoided is better than none.</summary>
    public static AgentState Lose(AgentState s, ImageName image)
    {
        s = s with { Good = s.Good.Remove(image) };
        return s.Verdict is { Avoids: true } verdict && Fallback(s) is null
            // One that an operator went back from may have proven itself before.
            ? s with { Verdict = s.Good.Contains(verdict.Image) ? null : new Verdict.OnTrial(verdict.Image, 0, 1) }
            : s;
    }

    /// <summary>The tag has moved: what was set aside is of no interest any more.</summary>
    public static AgentState TagMoved(AgentState s, ImageName to) =>
        s.Verdict is { Avoids: true } verdict && verdict.Image != to ? s with { Verdict = null } : s;

    /// <summary>A verdict that nothing depends on any more is dropped: the image failed with another configuration or other secrets, or the trial was called off.</summary>
    public static AgentState Reconsider(AgentState s, Policy policy) => s.Verdict switch
    {
        Verdict.RolledBack { Under: { } then } when Under(s, policy) is { } now && now != then => s with { Verdict = null },
        Verdict.Undecided { Under: { } then } when Under(s, policy) is { } now && now != then => s with { Verdict = null },
        { Image: var image } when s.App is App.Serving v && s.Tag.Value is { } tag && tag.Image != image && !Runs(s.App, image) && !Runs(s.Beside, image) &&
            (s.Verdict is Verdict.OnTrial || v.Container.Image == tag.Image) => s with { Verdict = null },
        _ => s,
    };

    private static bool Runs(App? app, ImageName image) => app is App.Starting starting ? starting.Release.Image == image : app?.Current?.Image == image;

    /// <summary>What both images of a trial have in common; null while the secrets are not known.</summary>
    public static string? Under(AgentState s, Policy policy) => s.Secrets.Value is { } secrets ? $"{policy.ConfigFingerprint}/{secrets.Fingerprint}" : null;
}
