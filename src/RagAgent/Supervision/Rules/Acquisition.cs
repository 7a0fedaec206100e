using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Gets what a container needs: the engine's word, the secrets, the tag's meaning, the image on disk.</summary>
internal static class Acquisition
{
    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        if (state.NextCheck is { } check && state.Now >= check)
        {
            state = state with { Tag = state.Tag.Refresh(), NextCheck = null };
        }
        if (state.Engine is { State: FetchState.Idle, ReadAt: { } seen } && state.Now >= seen + policy.InspectInterval)
        {
            state = state with { Engine = state.Engine.Refresh() };
        }
        if (state.Engine.IsDue(state.Now))
        {
            state = state with { Engine = state.Engine.Begin(state.Now) };
            effects.Add(new Effect.InspectEngine());
        }
        if (state.Secrets.IsDue(state.Now))
        {
            state = state with { Secrets = state.Secrets.Begin(state.Now) };
            effects.Add(new Effect.ReadSecrets());
        }
        if (state.Image.State is FetchState.Waiting && state.Image.IsDue(state.Now) && state.EngineIsReachable && state.Tag.Value is not null && !WantsImage(state))
        {
            state = state with { Image = state.Image with { State = new FetchState.Idle() } };   // it is there after all: what failed is no problem any more
        }
        if (MayFetch(state) && (state.Image.IsDue(state.Now) || state.Image.State is FetchState.Idle))
        {
            // What could not be had may have been pushed anew: the tag is asked beside the next try.
            var again = state.Image.State is FetchState.Waiting && state.Tag.State is FetchState.Idle;
            state = state with { Image = state.Image.Begin(state.Now), Tag = again ? state.Tag.Refresh() : state.Tag };
            effects.Add(new Effect.FetchImage(state.Tag.Value!, Replace: state.IsCorrupt(state.Tag.Value!.Image)));
        }
        if (state.Tag.IsDue(state.Now))
        {
            state = state with { Tag = state.Tag.Begin(state.Now) };
            effects.Add(new Effect.ResolveTag());
        }
        return state;
    }

    /// <summary>The newest image is wanted, and nothing is being removed: what stays was decided before, and one that came in between would go with the old ones.</summary>
    public static bool MayFetch(AgentState state) => WantsImage(state) && !state.Cleanup.IsRunning;

    /// <summary>The newest image is to be had, and is not known to be whole on disk: it may have been found missing while another one was the newest.</summary>
    private static bool WantsImage(AgentState state) =>
        state.EngineIsReachable && state.Tag.Value is { } tag && (state.Image.Value?.Digest != tag.Image.Digest || state.IsDefective(tag.Image)) && !DesiredRelease.IsSetAside(state, tag.Image);
}
