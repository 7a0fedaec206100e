using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>What nothing waits for: notes for the next life, the image to go back to, and old images that take up space.</summary>
internal static class Housekeeping
{
    private static readonly TimeSpan FetchedAgainAfter = TimeSpan.FromMinutes(5);

    public static AgentState Plan(AgentState s, ImmutableArray<Effect>.Builder effects)
    {
        if (WantsWriting(s) && IsDue(s.Written, s.Now))
        {
            s = s with { Written = s.Written.Begin(s.Now) };
            effects.Add(new Effect.Remember(s.ToRemember()));
        }
        if (Wanted(s) is { } wanted && IsDue(s.Spare, s.Now) && !IsJustFetched(s, wanted))
        {
            s = s with { Spare = s.Spare.Begin(s.Now) };
            effects.Add(new Effect.EnsureSpare(wanted, Anew: s.IsCorrupt(wanted)));
        }
        if (s.Sweep.IsDue(s.Now) && s.EngineAnswers && !s.Image.IsRunning && !s.Spare.IsRunning && !IsStarting(s))
        {
            var keep = Keep(s);
            s = Forget(s, keep) with { Sweep = s.Sweep.Begin(s.Now) };
            effects.Add(new Effect.Collect(keep));
        }
        return s;
    }

    /// <summary>What is known differs from what is written. Before the first look at the engine, a life without memory has nothing to write.</summary>
    public static bool WantsWriting(AgentState s) => !s.IsForgetful && !(s.Written.Value ?? Memory.Empty).Equals(s.ToRemember());

    /// <summary>A good image that has to be fetched again, and can be: because it is to be run, or because it should be there to go back to.</summary>
    public static ImageName? Wanted(AgentState s)
    {
        if (!s.EngineAnswers || s.Sweep.IsRunning)
        {
            return null;
        }
        if (s.Good.FirstOrDefault(good => s.IsDefective(good) && good != s.Tag.Value?.Image) is { } broken)
        {
            return broken;
        }
        // The registry must answer, and what visitors wait for comes first.
        var isTheTime = !s.Image.IsRunning && s.Tag is { Failures: 0, Value: not null } && s.App is App.Serving;
        var spare = s.Good.FirstOrDefault(good => good != s.App.Current?.Image);
        return isTheTime && spare is not null && s.Engine.Value?.Images is { } disk && !disk.Contains(spare.ToString()) ? spare : null;
    }

    private static ImmutableArray<ImageName> Keep(AgentState s)
    {
        ImageName?[] others = [s.Tag.Value?.Image, s.LastImage, s.App.Current?.Image, s.Beside?.Current?.Image, (s.Verdict as Verdict.OnTrial)?.Image];
        // What is set aside is of no use; what a container uses, the engine keeps anyway.
        return [.. s.Good.Concat(others.OfType<ImageName>().Where(image => !Target.IsSetAside(s, image))).Distinct()];
    }

    /// <summary>What goes is not counted on any more: should it be wanted after all, it is looked for on disk first.</summary>
    private static AgentState Forget(AgentState s, ImmutableArray<ImageName> keep) => s with
    {
        Image = s.Image.Value is { } known && keep.All(image => image.Digest != known.Digest) ? s.Image with { Value = null, ReadAt = null } : s.Image,
        LastImage = s.LastImage is { } last && keep.Contains(last) ? last : null,
    };

    /// <summary>An engine that has it and does not list it would be asked for it without end.</summary>
    private static bool IsJustFetched(AgentState s, ImageName image) => s.Spare is { Work: Work.Idle, ReadAt: { } at } && s.Spare.Value == image && s.Now < at + FetchedAgainAfter;

    private static bool IsStarting(AgentState s) => s.App is App.Starting || s.Beside is App.Starting;

    private static bool IsDue<T>(Tracked<T> work, Moment now) where T : class => work.Work is Work.Idle || work.IsDue(now);
}
