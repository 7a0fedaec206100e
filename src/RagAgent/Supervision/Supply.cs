using System.Collections.Immutable;

namespace RagAgent.Supervision;

/// <summary>Gets what a container needs: the engine's word, the secrets, the tag's meaning, the image on disk.</summary>
internal static class Supply
{
    public static AgentState Plan(AgentState s, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (s.NextCheck is { } check && s.Now >= check)
        {
            s = s with { Tag = s.Tag.Refresh(), NextCheck = null };
        }
        if (s.Engine is { Work: Work.Idle, ReadAt: { } seen } && s.Now >= seen + policy.InspectEvery)
        {
            s = s with { Engine = s.Engine.Refresh() };
        }
        if (s.Engine.IsDue(s.Now))
        {
            s = s with { Engine = s.Engine.Begin(s.Now) };
            effects.Add(new Effect.InspectEngine());
        }
        if (s.Secrets.IsDue(s.Now))
        {
            s = s with { Secrets = s.Secrets.Begin(s.Now) };
            effects.Add(new Effect.ReadSecrets());
        }
        if (s.Image.Work is Work.Waiting && s.Image.IsDue(s.Now) && s.EngineAnswers && s.Tag.Value is not null && !WantsImage(s))
        {
            s = s with { Image = s.Image with { Work = new Work.Idle() } };   // it is there after all: what failed is no problem any more
        }
        if (MayFetch(s) && (s.Image.IsDue(s.Now) || s.Image.Work is Work.Idle))
        {
            // What could not be had may have been pushed anew: the tag is asked beside the next try.
            var again = s.Image.Work is Work.Waiting && s.Tag.Work is Work.Idle;
            s = s with { Image = s.Image.Begin(s.Now), Tag = again ? s.Tag.Refresh() : s.Tag };
            effects.Add(new Effect.EnsureImage(s.Tag.Value!, Anew: s.IsCorrupt(s.Tag.Value!.Image)));
        }
        if (s.Tag.IsDue(s.Now))
        {
            s = s with { Tag = s.Tag.Begin(s.Now) };
            effects.Add(new Effect.ResolveTag());
        }
        return s;
    }

    /// <summary>The newest image is wanted, and nothing is being removed: what stays was decided before, and one that came in between would go with the old ones.</summary>
    public static bool MayFetch(AgentState s) => WantsImage(s) && !s.Sweep.IsRunning;

    /// <summary>The newest image is to be had, and is not known to be whole on disk: it may have been found missing while another one was the newest.</summary>
    private static bool WantsImage(AgentState s) =>
        s.EngineAnswers && s.Tag.Value is { } tag && (s.Image.Value?.Digest != tag.Image.Digest || s.IsDefective(tag.Image)) && !Target.IsSetAside(s, tag.Image);
}
