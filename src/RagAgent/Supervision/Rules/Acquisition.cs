using System.Collections.Immutable;
using RagAgent.Supervision.State;

namespace RagAgent.Supervision.Rules;

/// <summary>Gets what a container needs: the inventory of the engine, the secrets, the tag's digest, the image on disk.</summary>
internal static class Acquisition
{
    public static AgentState Plan(AgentState state, Policy policy, ImmutableArray<Effect>.Builder effects)
    {
        state = PlanLookUp(state, policy);
        if (state.Engine is { State: FetchState.Idle, ReadAt: { } inspectedAt } && state.Now >= inspectedAt + policy.InspectInterval)
        {
            state = state.RefreshEngine();
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
        if (IsRetryPointless(state))
        {
            state = state with { Image = state.Image with { State = new FetchState.Idle() } };
        }
        if (MayFetch(state) && (state.Image.IsDue(state.Now) || state.Image.State is FetchState.Idle))
        {
            // An image that could not be fetched may have been pushed again: the tag is looked up alongside the next try.
            var looksUpTag = state.Image.State is FetchState.Waiting && state.Tag.State is FetchState.Idle;
            state = state with { Image = state.Image.Begin(state.Now), Tag = looksUpTag ? state.Tag.Refresh() : state.Tag };
            effects.Add(new Effect.FetchImage(state.Tag.Value!, Replace: state.IsCorrupt(state.Tag.Value!.Image)));
        }
        if (state.Tag.IsDue(state.Now))
        {
            state = state with { Tag = state.Tag.Begin(state.Now) };
            effects.Add(new Effect.ResolveTag());
        }
        return state;
    }

    /// <summary>
    /// The newest image is wanted, and no cleanup is in progress. A cleanup decided earlier which images stay, so an image fetched
    /// meanwhile could be removed with the old ones.
    /// </summary>
    public static bool MayFetch(AgentState state) => WantsImage(state) && !state.Images.Cleanup.IsRunning;

    /// <summary>
    /// Decides when the tag is looked up again. While nothing serves, everyone may be waiting for the next push: neither the interval nor
    /// a delay after a failure keeps it waiting. A registry that asks for a longer wait gets it.
    /// </summary>
    private static AgentState PlanLookUp(AgentState state, Policy policy)
    {
        var isDown = state.Front is not ContainerState.Serving && state.Hold is null;
        var soon = state.Now + policy.CheckIntervalWhileDown;
        if (isDown && state.Tag.State is FetchState.Waiting { Problem.RetryAfter: null } waiting && waiting.Until > soon)
        {
            return state with { Tag = state.Tag with { State = waiting with { Until = soon } } };
        }
        if (state.Tag is not { State: FetchState.Idle, ReadAt: { } lookedUpAt })
        {
            return state with { NextCheck = null };
        }
        var regular = lookedUpAt + policy.CheckInterval;
        var planned = state.NextCheck ?? regular;
        var next = isDown switch
        {
            false => regular,
            true when planned < soon => planned,
            true => soon,
        };
        return state.Now >= next ? state with { Tag = state.Tag.Refresh(), NextCheck = null } : state with { NextCheck = next };
    }

    /// <summary>The next try is due, but the image is on disk by now: the failure is not a problem any more.</summary>
    private static bool IsRetryPointless(AgentState state) =>
        state.Image.State is FetchState.Waiting && state.Image.IsDue(state.Now) &&
        state.EngineIsReachable && state.Tag.Value is not null && !WantsImage(state);

    /// <summary>The newest image may be run, and is not known to be complete on disk.</summary>
    private static bool WantsImage(AgentState state)
    {
        if (!state.EngineIsReachable || state.Tag.Value is not { Image: var newest } || DesiredRelease.IsSetAside(state, newest))
        {
            return false;
        }
        // It may have been found missing or corrupt while another image was the newest.
        return state.Image.Value?.Digest != newest.Digest || state.IsDefective(newest);
    }
}
